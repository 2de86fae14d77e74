#!/usr/bin/env bash
# ioredis 6.0.0: where retries are turned off, `await redis.connect()` rejects with "Connection is closed." whether the
# server refused the password (WRONGPASS) or nobody listens (ECONNREFUSED). The reason is only in the `error` event, which
# a program that awaits the call has no cause to listen to; without a listener it is printed and lost.
# Guess before the run: connect() rejects with the server's own reply. Exits with 1 when that is so. Needs redis-server.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill %1 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund ioredis@6.0.0
redis-server --port 16399 --bind 127.0.0.1 --requirepass right --save '' --dir "$folder" > server.log &
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'

const { version } = JSON.parse(readFileSync('node_modules/ioredis/package.json', 'utf8'))
console.log('ioredis', version, 'Node', process.version)

async function tried(url) {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  const events = []
  redis.on('error', (error) => events.push(error.message))
  const rejected = await redis.connect().then(
    () => redis.ping(),
    (error) => error.message,
  )
  redis.disconnect()
  return { rejected, events }
}

for (let k = 0; k < 50; k++) {
  if ((await tried('redis://:right@127.0.0.1:16399')).rejected === 'PONG') break
  await setTimeout(100)
}
const wrong = await tried('redis://:wrong@127.0.0.1:16399')
const nobody = await tried('redis://127.0.0.1:16398')
console.log('a wrong password:', wrong)
console.log('nobody listens:', nobody)
const hidden = ({ rejected }) => rejected === 'Connection is closed.'
const told = wrong.events.some((message) => message.includes('WRONGPASS'))
process.exit(hidden(wrong) && hidden(nobody) && told ? 0 : 1)
JS
node run.mjs
