#!/usr/bin/env bash
# BullMQ 6.7.0 on ioredis 6.0.0: commands that a program sends on the connection that it gave to a queue overtake the
# queue's own. A SET that is called after addBulk() or add(), without a wait in between, reaches the server before the
# jobs do, although ioredis sends commands in the order of their calls: the queue waits for some promises first, also
# where it has long been ready. Who sends the data of some jobs, then those jobs, then more data finds all data first.
# Guess before the run: the jobs come first, as they were called first. Exits with 1 when that is so. Needs redis-
# server.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill %1 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund bullmq@6.7.0 ioredis@6.0.0
redis-server --port 16397 --bind 127.0.0.1 --save '' --dir "$folder" > server.log &
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
console.log('bullmq', version('bullmq'), 'ioredis', version('ioredis'), 'Node', process.version)

const connection = new Redis('redis://127.0.0.1:16397', { maxRetriesPerRequest: null })
connection.on('error', () => {})
await connection.ping()
const arrived = []
const watching = await connection.duplicate().monitor()
watching.on('monitor', (_, [command]) => {
  if (/^set$/i.test(command)) arrived.push('the command')
  if (/^eval/i.test(command)) arrived.push('a job')
})
const queue = new Queue('queue', { connection })
await queue.waitUntilReady()
await queue.add('first', {})

async function orderOf(add) {
  await setTimeout(300)
  arrived.length = 0
  await Promise.all([add(), connection.set('key', 'value')])
  await setTimeout(300)
  return [...arrived]
}
const one = await orderOf(() => queue.add('one', {}))
const two = await orderOf(() => queue.addBulk(['two', 'three'].map((name) => ({ name, data: {} }))))
console.log('add(), then SET:', one)
console.log('addBulk(), then SET:', two)
process.exit(one[0] === 'the command' && two[0] === 'the command' && two.length === 3 ? 0 : 1)
JS
node run.mjs
