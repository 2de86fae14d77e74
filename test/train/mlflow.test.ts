import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { platform } from '#platform'
import { logTo } from '../../src/train/loggers.ts'
import { mlflowLogger } from '../../src/train/mlflow.ts'
import { train } from '../../src/train/train.ts'
import { hasModule, interpreter } from '../left-out.js'

const small = { env: 'CartPole-v1', particles: 3, iterations: 4, environments: 4, steps: 64, hidden: [8] }

// biome-ignore lint/suspicious/noExplicitAny: what is sent as JSON
type Asked = { what: string; body: any; authorization?: string }

/** Answers as MLflow does, and keeps what it was asked. */
async function withServer(test: (url: string, asked: Asked[], server: Server) => Promise<void>): Promise<void> {
  const asked: Asked[] = []
  const answers: Record<string, [number, object]> = {
    'experiments/get-by-name': [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' }],
    'experiments/create': [200, { experiment_id: '7' }],
    'runs/create': [200, { run: { info: { run_id: 'r1' } } }],
    'runs/log-batch': [200, {}],
    'runs/update': [200, {}],
  }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    const what = (request.url ?? '').replace('/api/2.0/mlflow/', '').replace(/\?.*/, '')
    asked.push({ what, body: text && JSON.parse(text), authorization: request.headers.authorization })
    const [status, answer] = answers[what] ?? [404, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a run of an experiment has the settings, every number by environment steps, and an end', () =>
  withServer(async (url, asked) => {
    const settings = { env: 'CartPole-v1', particles: 3, hidden: [8] }
    const logger = mlflowLogger({ url: `${url}/`, experiment: 'e', settings, headers: { authorization: 'Bearer t' } })
    const transitions: number[] = []
    for await (const { metrics } of logTo(logger)(train(small))) transitions.push(metrics.transitions)
    expect(asked.slice(0, 3).map(({ what }) => what)).toEqual([
      ...['experiments/get-by-name', 'experiments/create', 'runs/create'],
    ])
    expect(asked[2].body).toMatchObject({ experiment_id: '7' })
    const batches = asked.filter(({ what }) => what === 'runs/log-batch').map(({ body }) => body)
    expect(batches[0]).toEqual({
      ...{ run_id: 'r1' },
      params: [
        { key: 'env', value: 'CartPole-v1' },
        { key: 'particles', value: '3' },
        { key: 'hidden', value: '[8]' },
      ],
    })
    const metrics = batches.flatMap(({ metrics }) => metrics ?? [])
    const counted = metrics.filter(({ key }: { key: string }) => key === 'transitions')
    expect(counted.map(({ value, step }: { value: number; step: number }) => [value, step])).toEqual(
      transitions.map((count) => [count, count]),
    )
    expect(metrics.every(({ value }: { value: unknown }) => Number.isFinite(value))).toBe(true)
    expect(asked.at(-1)).toMatchObject({ what: 'runs/update', body: { run_id: 'r1', status: 'FINISHED' } })
    expect(asked.every(({ authorization }) => authorization === 'Bearer t')).toBe(true)
  }))

test('a server that stops is warned of once, and the training goes on', () =>
  withServer(async (url, asked, server) => {
    const warned: string[] = []
    const spy = jest.spyOn(platform, 'warn').mockImplementation((message) => void warned.push(message))
    try {
      let steps = 0
      for await (const _ of logTo(mlflowLogger({ url }))(train({ ...small, iterations: 8 }))) {
        steps++
        if (steps > 1) continue
        while (!asked.some(({ what }) => what === 'runs/log-batch')) await new Promise((done) => setTimeout(done, 10))
        server.closeAllConnections()
        await new Promise((done) => server.close(done))
      }
      expect(steps).toBe(8)
      expect(warned).toEqual([
        expect.stringMatching(/^A logger failed and is told no more: the MLflow server at .* does not answer: /),
      ])
    } finally {
      spy.mockRestore()
    }
  }))

test('what is no address, and a server that refuses, are told in a sentence', async () => {
  expect(() => mlflowLogger({ url: 'sqlite:///a.db' })).toThrow(
    'url must be that of a tracking server, as http://127.0.0.1:5000, got "sqlite:///a.db".',
  )
  expect(() => mlflowLogger({ url: 'http://a', experiments: 'x' } as never)).toThrow(/no option "experiments"/)
  await withServer(async (url) => {
    const logger = mlflowLogger({ url: `${url}/elsewhere` })
    await expect(logger.close?.(false)).rejects.toThrow(/^the MLflow server at .* refuses experiments\/get-by-name/)
  })
})

const real = hasModule('mlflow') ? test : test.skip

real(
  'a server of MLflow has the run',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'steinrl-mlflow-'))
    const port = 20_000 + (process.pid % 20_000)
    const url = `http://127.0.0.1:${port}`
    const store = ['--backend-store-uri', `sqlite:///${folder}/mlflow.db`, '--default-artifact-root', `${folder}/files`]
    const words = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...store]
    const server: ChildProcess = spawn(interpreter, [...words, '--workers', '1'], {
      ...{ cwd: folder, stdio: 'ignore', detached: true },
      // Processes that it starts for jobs of its own take as long again to start.
      env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
    })
    try {
      const isUp = () =>
        fetch(`${url}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      while (!(await isUp())) {
        if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`)
        await new Promise((done) => setTimeout(done, 250))
      }
      const transitions: number[] = []
      const logger = mlflowLogger({
        url,
        experiment: 'real',
        name: 'first',
        settings: { hidden: [8], env: 'CartPole-v1' },
      })
      for await (const { metrics } of logTo(logger)(train(small))) transitions.push(metrics.transitions)
      // The second time the experiment is there.
      for await (const _ of logTo(mlflowLogger({ url, experiment: 'real' }))(train({ ...small, iterations: 1 })));
      const ask = async (what: string, body: object) =>
        (
          await fetch(`${url}/api/2.0/mlflow/${what}`, {
            ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
          })
        ).json()
      const found = await fetch(`${url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=real`)
      const { experiment } = (await found.json()) as { experiment: { experiment_id: string } }
      const { runs } = (await ask('runs/search', { experiment_ids: [experiment.experiment_id] })) as {
        runs: { info: { run_id: string; run_name: string; status: string }; data: { params: object[] } }[]
      }
      expect(runs.map(({ info }) => info.status)).toEqual(['FINISHED', 'FINISHED'])
      const first = runs.find(({ info }) => info.run_name === 'first') as (typeof runs)[number]
      expect(first.data.params).toContainEqual({ key: 'hidden', value: '[8]' })
      const history = await fetch(
        `${url}/api/2.0/mlflow/metrics/get-history?run_id=${first.info.run_id}&metric_key=transitions`,
      )
      const { metrics } = (await history.json()) as { metrics: { value: number; step: number | string }[] }
      const told = metrics.map(({ value, step }) => [value, Number(step)])
      expect(told).toEqual(transitions.map((count) => [count, count]))
    } finally {
      if (server.pid) process.kill(-server.pid)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  },
  900_000,
)
