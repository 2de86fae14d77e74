import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import pc from 'picocolors'
import { isRedisAddress, type RedisAddress } from '../cluster/address.ts'
import type { WorkerRecord } from '../cluster/register.ts'
import { clusterStatus } from '../cluster/status.ts'
import { startClusterWorker } from '../cluster/worker.ts'
import { printable, show, UsageError } from '../core/errors.ts'
import { printLine } from './print.ts'
import { number } from './values.ts'

const SERVER = 'a Redis server, as redis://host:6379'

/** A worker of a cluster, until a signal ends it. */
export const workerCommand = (): Command =>
  new Command('worker')
    .description('Work for others: for train --workers redis://host, and for experiment --jobs redis://host.')
    .argument('<address>', SERVER)
    .option('--threads <n>', 'jobs at a time, each on a thread of its own', number, 1)
    .option(
      '--import <file>',
      'with a task of your own; again for more',
      (file, files: string[]) => [...files, file],
      [],
    )
    .option('--server-limit <s>', 'seconds without an answer of the server after which it ends', number, 600)
    .action(work)

export const clusterCommand = (): Command =>
  new Command('cluster')
    .description('See what goes on at a server of a cluster.')
    .addCommand(
      new Command('status')
        .description('Show the workers and the jobs at a server.')
        .argument('<address>', SERVER)
        .option('--json', 'print one JSON line instead of a table', false)
        .action(status),
    )

function addressOf(text: string): RedisAddress {
  if (isRedisAddress(text)) return text
  throw new UsageError(`The address must be that of ${SERVER}, got ${show(text)}.`)
}

interface WorkOptions {
  readonly threads: number
  readonly import: readonly string[]
  readonly serverLimit: number
}

async function work(text: string, options: WorkOptions): Promise<void> {
  const { threads, serverLimit } = options
  const imports = options.import.map((file) => pathToFileURL(resolve(file)).href)
  const name = `${hostname()}:${process.pid}`
  const onNote = (sentence: string) => console.error(sentence)
  const worker = await startClusterWorker({ address: addressOf(text), threads, imports, name, serverLimit, onNote })
  console.log(worker.introduction)
  const signalled = new Promise<null>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end(null))
  })
  const lost = await Promise.race([signalled, worker.lost])
  await worker.close()
  if (lost) throw lost
}

async function status(text: string, { json }: { json: boolean }): Promise<void> {
  const found = await clusterStatus(addressOf(text))
  if (json) return printLine(found)
  const { server, workers, waiting, running, failed } = found
  console.log(`${pc.bold(server)}: jobs waiting ${waiting}, running ${running}, failed ${failed}`)
  if (workers.length === 0) return console.log(`No worker: start one by npx steinrl worker ${server}`)
  const rows = [
    ['worker', 'threads', 'busy', 'done', 'retries', 'mean', 'p95', 'release'],
    ...workers.map((one) => rowOf(one).map(printable)),
  ]
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, k) => cell.padEnd(widths[k]))
        .join('  ')
        .trimEnd(),
    )
}

const seconds = (value: number | null) => (value === null ? '-' : `${(value * 1000).toFixed(0)} ms`)

const rowOf = ({ name, threads, running, done, retries, mean, p95, version, core }: WorkerRecord): string[] => [
  ...[name, String(threads), String(running), String(done), String(retries), seconds(mean), seconds(p95)],
  `${version} ${core.slice(0, 12)}`,
]
