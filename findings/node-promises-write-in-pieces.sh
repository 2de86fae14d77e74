#!/usr/bin/env bash
# Node 20.20.2 and 26: a file that is written through fs/promises goes to the disk in pieces of 512 KiB, each with a
# round of its own by way of the thread pool, which a busy event loop makes wait for its next turn; fs.writeFile with a
# callback, and write() of the same file handle, hand over all of it at once. A buffer of 4 MiB takes eight requests
# here and one there. A program that computes between its turns, as a training that saves checkpoints, waits eight
# times: beside turns of 3 ms the file was there up to 30 ms later.
# Guess before the run: one request each way. Exits with 1 when writeFile of fs/promises makes one as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund node20@npm:node@20.20.2 node26@npm:node@26.10.0
cat > run.mjs <<'JS'
import { createHook } from 'node:async_hooks'
import { writeFile } from 'node:fs'
import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'

let requests = 0
createHook({ init: (_, type) => void (requests += /^FSREQ/.test(type) ? 1 : 0) }).enable()
const data = new Uint8Array(4 * 2 ** 20)
const ways = {
  'fs.writeFile of a descriptor': (file) => promisify(writeFile)(file.fd, data),
  'write of a file handle': (file) => file.write(data),
  'writeFile of a file handle': (file) => file.writeFile(data),
}
const counts = []
for (const [name, write] of Object.entries(ways)) {
  const file = await open('out', 'w')
  requests = 0
  let isDone = false
  const done = write(file).then(() => void (isDone = true))
  const started = performance.now()
  while (!isDone) {
    for (const end = performance.now() + 3; performance.now() < end; );
    await setImmediate()
  }
  const ms = performance.now() - started
  counts.push(requests)
  await done
  await file.close()
  console.log(`Node ${process.version}: ${name}: ${counts.at(-1)} requests, ${ms.toFixed(0)} ms beside turns of 3 ms`)
}
process.exit(counts.at(-1) > 1 && counts[0] === 1 && counts[1] === 1 ? 0 : 1)
JS
node_modules/node20/bin/node run.mjs
node_modules/node26/bin/node run.mjs
