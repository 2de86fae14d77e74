// A real Redis server on loopback, and workers of the built command. Each test starts what it needs and ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server as Connection, connect } from '../../src/cluster/server.ts'
import { type Running, start, until } from '../cli/steinrl.ts'

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

export interface RedisServer {
  readonly address: `redis://${string}`
  readonly port: number
  /** SIGKILL, as when its machine goes. */
  kill(): Promise<void>
  /** As SIGSTOP, by which it hangs. */
  signal(name: NodeJS.Signals): void
  /** On the same port, with what is on the disk. */
  startAgain(): Promise<void>
  /** All of its keys. */
  scan(): Promise<string[]>
  /** Runs a command. */
  call(...command: (string | number | Uint8Array)[]): Promise<unknown>
  stop(): Promise<void>
}

/** Starts a server without disk; `options` as in redis.conf. */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-redis-'))
  const port = await freePort()
  const password = options[options.indexOf('--requirepass') + 1]
  const address = `redis://${options.includes('--requirepass') ? `:${password}@` : ''}127.0.0.1:${port}` as const
  let child: ChildProcess | null = null
  let connection: Connection | null = null
  const begin = async () => {
    const bound = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
    child = spawn('redis-server', [...bound, ...options], { stdio: 'ignore' })
    await until('the server', async () => {
      connection = await connect(address).catch(() => null)
      return connection !== null
    })
  }
  const kill = async () => {
    connection?.close()
    const ended = new Promise((resolve) => child?.once('exit', resolve))
    child?.kill('SIGKILL')
    await ended
  }
  await begin()
  const call = ([command, ...values]: (string | number | Uint8Array)[]) =>
    (connection as Connection).call(String(command), ...values)
  return {
    ...{ address, port, kill, startAgain: begin },
    signal: (name) => void child?.kill(name),
    call: (...command) => call(command),
    async scan() {
      const keys: string[] = []
      let cursor = '0'
      do {
        const [next, found] = (await call(['SCAN', cursor, 'COUNT', 1000])) as [string, string[]]
        keys.push(...found)
        cursor = next
      } while (cursor !== '0')
      return keys.sort()
    },
    async stop() {
      await kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Starts a worker, and waits until it takes jobs. */
export async function startWorker(address: string, ...options: string[]): Promise<Running> {
  const worker = start(tmpdir(), ['worker', address, ...options])
  await until('the worker', () => {
    if (worker.child.exitCode !== null) throw new Error(`The worker ended: ${worker.output.stderr}`)
    return worker.output.stdout.includes('takes jobs')
  })
  return worker
}

/** Ends a worker as a user does. */
export async function endWorker({ child, ended }: Running): Promise<void> {
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  await ended
}
