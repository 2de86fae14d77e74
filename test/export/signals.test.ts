import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { distilRun } from '../../src/export/distil-run.ts'
import { playRun } from '../../src/export/play-run.ts'
import { exportRun } from '../../src/export/run.ts'
import { svgdNewton } from '../../src/svgd/newton.ts'
import { svgd } from '../../src/svgd/svgd.ts'
import { trainRuns } from '../train/hostile.ts'

// A signal that is aborted before, in the middle of and after calls that take their time.

let directory: string
let run: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steinrl-signals-'))
  run = (await trainRuns(directory))[0]
}, 60_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

describe.each<[string, (out: string, signal?: AbortSignal) => Promise<unknown>]>([
  ['exportRun', (out, signal) => exportRun({ run, out, signal })],
  ['playRun', (out, signal) => playRun({ run, out: `${out}.gif`, signal })],
  ['distilRun', (out, signal) => distilRun({ run, out, evaluationEpisodes: 1, episodes: 1, steps: 50, signal })],
])('%s', (name, work) => {
  const place = (when: string) => join(directory, `${name}-${when}`)
  const written = async (when: string) =>
    (await readdir(directory)).filter((file) => file.startsWith(`${name}-${when}`))

  test('writes nothing where it is aborted before or on the way, and leaves by its reason', async () => {
    await expect(work(place('before'), AbortSignal.abort(new Error('at once')))).rejects.toThrow('at once')
    const stop = new AbortController()
    const working = work(place('half'), stop.signal)
    setTimeout(() => stop.abort(new Error('enough')))
    await expect(working).rejects.toThrow('enough')
    expect([...(await written('before')), ...(await written('half'))]).toEqual([])
  })

  test('knows nothing of what comes after its end', async () => {
    const stop = new AbortController()
    const result = await work(place('after'), stop.signal)
    stop.abort(new Error('too late'))
    // Agents hold functions, each time others.
    expect(JSON.stringify(await work(place('alone')))).toBe(JSON.stringify(result))
    expect(await isThere(name === 'playRun' ? `${place('after')}.gif` : place('after'))).toBe(true)
  })
})

describe('a signal ends with the particles as they are then', () => {
  const initial = [-3, -1, 0.5, 2]
  const start = { particles: 4, dimension: 1, initial }
  type Options = { iterations: number; signal?: AbortSignal; onStep?: () => void }

  test.each<[string, (options: Options) => Promise<Iterable<number>>]>([
    ['svgd', (options) => svgd({ ...start, ...options, score: (_, x) => [-x[0]] })],
    ['svgdNewton', (options) => svgdNewton({ ...start, ...options, score: (_, x) => [-x[0]], hessian: () => [1] })],
  ])('%s', async (_, work) => {
    expect([...(await work({ iterations: 20, signal: AbortSignal.abort() }))]).toEqual(initial)
    const stop = new AbortController()
    let steps = 0
    const onStep = () => {
      if (++steps === 3) stop.abort()
    }
    const stopped = await work({ iterations: 20, signal: stop.signal, onStep })
    expect([steps, stopped]).toEqual([3, await work({ iterations: 3 })])
    expect(stopped).not.toEqual(await work({ iterations: 20 }))
  })
})
