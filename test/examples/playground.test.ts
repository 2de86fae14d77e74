import { expect, test } from '@jest/globals'
import {
  type AlgorithmName,
  type AnyTrainOptions,
  algorithms,
  compileCore,
  environments,
  type IterationMetrics,
  runConfig,
} from 'steinrl'
import { createFlow, startPoints } from '../../examples/playground/particles/flow.ts'
import { fields, type Settings } from '../../examples/playground/particles/settings.ts'
import { type TargetName, targets } from '../../examples/playground/particles/targets.ts'
import { libraryDefault, lighter, optionsOf, table } from '../../examples/playground/policies/algorithms.ts'
import { append, emptyHistory, latest, merits } from '../../examples/playground/policies/history.ts'
import { project } from '../../examples/playground/policies/projection.ts'
import { fromAddress, readAddress, toAddress } from '../../examples/playground/shared/address.ts'
import { defaults, type Fields, placeOf, slider, valueAt } from '../../examples/playground/shared/fields.ts'

const close = (actual: number, expected: number, tolerance: number) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance)

test.each(Object.keys(targets) as TargetName[])('%s: the score is the slope of the log density', (name) => {
  const { logDensity, score } = targets[name]
  const s = new Float32Array(2)
  const step = 1e-5
  for (const [x, y] of [
    [0.3, -0.4],
    [-1.2, 1.9],
    [2.5, -0.7],
    [-2.1, -1.6],
    [0.9, 2.4],
  ]) {
    score(s, x, y)
    const slope = [
      (logDensity(x + step, y) - logDensity(x - step, y)) / (2 * step),
      (logDensity(x, y + step) - logDensity(x, y - step)) / (2 * step),
    ]
    // float32 of the score, and the third derivative of the difference.
    slope.forEach((value, k) => void close(s[k], value, 1e-5 * (1 + Math.abs(value))))
  }
})

const settingsOf = (changes: Partial<Settings> = {}): Settings => ({ ...defaults(fields), ...changes })

test('drive and repulsion of the arrows are the two sums of the Stein direction', async () => {
  const settings = settingsOf({ bandwidth: 'fixed', h: 0.8, temperature: 2, repulsion: 1.5, count: 7 })
  const flow = createFlow(await compileCore(), settings)
  const points = startPoints(settings)
  await flow.restart(points)
  const { moment } = flow
  points.forEach(([x, y], i) => {
    const [drive, repulsion] = [
      [0, 0],
      [0, 0],
    ]
    for (const [u, v] of points) {
      const k = Math.exp(-((x - u) ** 2 + (y - v) ** 2) / 0.8)
      const s = new Float32Array(2)
      targets.mixture.score(s, u, v)
      drive[0] += (k * s[0]) / 2 / 7
      drive[1] += (k * s[1]) / 2 / 7
      repulsion[0] += (1.5 * k * (2 / 0.8) * (x - u)) / 7
      repulsion[1] += (1.5 * k * (2 / 0.8) * (y - v)) / 7
    }
    for (const k of [0, 1]) {
      close(moment?.drive[2 * i + k] ?? Number.NaN, drive[k], 2e-6 * (1 + Math.abs(drive[k])))
      close(moment?.repulsion[2 * i + k] ?? Number.NaN, repulsion[k], 2e-6 * (1 + Math.abs(repulsion[k])))
    }
  })
})

test('a flow steps along its arrows; looking does not move it, and no particle is lost among changes', async () => {
  const settings = settingsOf({ optimizer: 'sgd', stepSize: 0.1, count: 5 })
  const flow = createFlow(await compileCore(), settings)
  await flow.restart(startPoints(settings))
  const before = flow.moment
  await flow.change(settingsOf({ ...settings, temperature: 3 }))
  expect(flow.moment?.x).toEqual(before?.x)
  await flow.change(settings)
  flow.step()
  before?.x.forEach((x, k) => {
    close(flow.moment?.x[k] ?? Number.NaN, x + 0.1 * (before.drive[k] + before.repulsion[k]), 1e-6)
  })
  const added = [flow.add([1, 1]), flow.add([-1, 2]), flow.change(settingsOf({ ...settings, kernel: 'imq' }))]
  await Promise.all([...added, flow.add([2, 2])])
  expect([...(flow.moment?.x.subarray(10) ?? [])]).toEqual([1, 1, -1, 2, 2, 2])
  expect(flow.steps).toBe(1)
})

test.each(Object.keys(table) as AlgorithmName[])(
  '%s starts with the defaults of the library, but for what is lighter on purpose',
  (name) => {
    const { groups } = table[name]
    const started: [string, unknown][] = Object.values(groups)
      .flatMap((some) => Object.entries(some))
      .filter(([setting]) => setting !== 'iterations')
      .map(([setting, { value }]) => [setting, value])
    expect(started.length).toBeGreaterThan(3)
    const own = lighter[name] ?? {}
    for (const [setting, value] of started)
      expect([setting, value]).toEqual([setting, own[setting] ?? libraryDefault(name, setting)])
    // What is lighter differs, and is a setting of the form.
    for (const [setting, value] of Object.entries(own)) {
      expect(value).not.toEqual(libraryDefault(name, setting))
      expect(started.map(([known]) => known)).toContain(setting)
    }
  },
)

test('an address tells all settings, and what a field does not allow is passed over', () => {
  const settings = settingsOf({ target: 'ring', count: 17, arrows: false, stepSize: 0.25 })
  const { mode, settings: read } = readAddress(toAddress('particles', settings))
  expect(mode).toBe('particles')
  expect(fromAddress(fields, read)).toEqual(settings)
  const wrong = new URLSearchParams('target=toString&count=1e9&stepSize=&arrows=yes&kernel=imq')
  expect(fromAddress(fields, wrong)).toEqual(settingsOf({ kernel: 'imq' }))
  expect(readAddress('').mode).toBe('particles')
  expect(readAddress('#policies&env=Pendulum-v1').settings.get('env')).toBe('Pendulum-v1')
})

test('a slider leads from a value to its place and back, at its ends too', () => {
  const log = slider('a', 1, { min: 0.01, max: 1000, scale: 'log' })
  for (const value of [0.01, 0.1, 1, 10, 1000]) expect(valueAt(log, placeOf(log, value).place)).toBe(value)
  const linear = slider('b', 1, { min: 0, max: 3, step: 0.05 })
  for (const value of [0, 0.05, 1.35, 3]) expect(valueAt(linear, placeOf(linear, value).place)).toBe(value)
})

test.each(Object.entries(table))('%s: every default is what train() takes, on a task that it takes', (name, entry) => {
  const fieldsOf: Fields = Object.assign({}, ...Object.values(entry.groups))
  const tasks = Object.values(environments).filter((spec) => entry.takes(spec))
  expect(tasks.length).toBeGreaterThan(0)
  for (const { id } of tasks) {
    const options = { algorithm: name, env: id, ...optionsOf(entry, defaults(fieldsOf)) }
    expect(runConfig(options as unknown as AnyTrainOptions)).toMatchObject(options)
  }
  // A setting that may change while it runs needs an algorithm that lets it.
  const { setTemperature } = algorithms[name as keyof typeof algorithms] as { setTemperature?: unknown }
  expect(entry.live).toEqual(setTemperature ? ['temperature'] : [])
})

test('particles in a plane keep it, and stand where they stood before', () => {
  const plane: [number, number][] = [[2, 0], [-1, 1], [0, -2], [-1, 1.5], [0, -0.5]] // biome-ignore format: points
  // Turned into five dimensions: any two orthonormal directions.
  const [a, b] = [[0.6, 0, 0.8, 0, 0], [0, 0.8, 0, -0.6, 0]] // biome-ignore format: vectors
  const rows = plane.map(([x, y]) => Float32Array.from(a, (value, k) => 3 + x * value + y * b[k]))
  const first = project(rows, null)
  close(first?.explained ?? 0, 1, 1e-6)
  // Distances are kept.
  const distance = (points: readonly (readonly [number, number])[] | undefined, i: number, j: number) =>
    Math.hypot((points?.[i][0] ?? 0) - (points?.[j][0] ?? 0), (points?.[i][1] ?? 0) - (points?.[j][1] ?? 0))
  // biome-ignore format: pairs
  for (const [i, j] of [[0, 1], [1, 2], [3, 4]]) close(distance(first?.points, i, j), distance(plane, i, j), 1e-6)
  // Mirrored and turned, then brought back: the mean of `plane` is the origin.
  const mirrored = plane.map(([x, y]): [number, number] => [-y, -x])
  for (const before of [plane, mirrored])
    project(rows, before)?.points.forEach((point, i) => {
      for (const k of [0, 1] as const) close(point[k], before[i][k], 1e-6)
    })
  expect(project(rows.slice(0, 2), null)).toBeNull()
})

test('a particle without a new return keeps its last', () => {
  const history = emptyHistory()
  const metrics = (iteration: number, returns: (number | null)[]) =>
    ({ iteration, returns, drive: 1, repulsion: 2 }) as unknown as IterationMetrics
  append(history, metrics(1, [10, null, 30]))
  append(history, metrics(2, [null, null, 50]))
  expect(latest(history)).toEqual([10, null, 50])
  expect(history.median).toEqual([20, 30])
  expect(history.best).toEqual([30, 50])
  expect(merits(history)).toEqual([0, null, 1])
})

test('a finger on a particle drags it and keeps the page still; elsewhere it moves the page', async () => {
  // Of a page, which modules of the playground ask when they are loaded.
  Object.assign(globalThis, { matchMedia: () => new EventTarget(), document: { documentElement: {} } })
  const { watchHands } = await import('../../examples/playground/particles/pointer.ts')
  const frame = new EventTarget()
  const canvas = Object.assign(new EventTarget(), {
    ...{ clientWidth: 400, clientHeight: 400, parentElement: frame, setPointerCapture() {} },
  })
  const dragged: number[] = []
  const placed: unknown[] = []
  watchHands(canvas as unknown as HTMLCanvasElement, {
    // One particle in the middle.
    moment: () => ({ x: new Float32Array([0, 0]), count: 1 }) as never,
    onPlace: (point) => placed.push(point),
    onDrag: (particle) => dragged.push(particle),
    onChange() {},
  })
  const tell = (type: string, x: number, y: number) => {
    const event = new Event(type, { cancelable: true })
    canvas.dispatchEvent(
      Object.assign(event, { ...{ button: 0, pointerId: 1, pointerType: 'touch' }, offsetX: x, offsetY: y }),
    )
    return event.defaultPrevented
  }
  tell('pointerdown', 203, 200)
  expect(tell('touchstart', 203, 200)).toBe(true)
  tell('pointermove', 240, 220)
  tell('pointerup', 240, 220)
  expect([dragged, placed]).toEqual([[0], []])
  tell('pointerdown', 20, 20)
  expect(tell('touchstart', 20, 20)).toBe(false)
})
