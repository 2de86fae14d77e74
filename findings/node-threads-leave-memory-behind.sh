#!/usr/bin/env bash
# Node 20.20.2 on glibc 2.36: threads that have ended leave resident memory behind. 2,400 empty workers of
# worker_threads, two at a time, each ended before the next, leave a process 10 MB larger than 200 do, with nothing in
# V8's heap, no handle and no thread left; it looks like a leak of 5 KB a worker. With MALLOC_ARENA_MAX=1 the same
# program stays as it is: what grows are the holes of malloc's arenas, of which glibc gives threads their own. A
# program that starts workers for hours is measured, and run, better so.
# Guess before the run: it stays as it is either way. Exits with 1 when the two do alike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund node@20.20.2
cat > run.mjs <<'JS'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const code = 'require("node:worker_threads").parentPort.on("message", () => {})'
const one = () =>
  new Promise((resolve) => {
    const worker = new Worker(code, { eval: true })
    worker.on('online', () => worker.terminate().then(resolve))
  })
async function megabytesAfter(workers) {
  for (let k = 0; k < workers / 2; k++) await Promise.all([one(), one()])
  for (let k = 0; k < 3; k++) {
    gc()
    await setTimeout(200)
  }
  return process.memoryUsage.rss() / 1e6
}
const first = await megabytesAfter(200)
const last = await megabytesAfter(2400)
const { glibcVersionRuntime } = process.report.getReport().header
const arenas = process.env.MALLOC_ARENA_MAX ?? 'as by default'
console.log('Node', process.version, 'glibc', glibcVersionRuntime, 'arenas', arenas)
console.log(`resident after 200 workers ${first.toFixed(1)} MB, after 2,600 ${last.toFixed(1)} MB`)
process.exit(last - first > 5 ? 3 : 4)
JS
run() { local status=0; "$@" node_modules/.bin/node --expose-gc run.mjs || status=$?; echo "$status" > status; }
run env; [ "$(cat status)" = 3 ]
run env MALLOC_ARENA_MAX=1; [ "$(cat status)" = 4 ]
