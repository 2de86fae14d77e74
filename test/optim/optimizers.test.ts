import { expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { adagrad, adam, coin, type Optimizer, optimizerFields, sgd } from '../../src/optim/optimizers.ts'
import { steinFields } from '../../src/svgd/fields.ts'
import { rbf } from '../../src/svgd/kernels.ts'

const module = await compileCore()
const n = 3
const d = 5

async function start(optimizer: Optimizer) {
  const arena = await createArena(module, {
    ...steinFields(n, d, { kernel: rbf() }),
    ...optimizerFields(n, d, optimizer),
  })
  arena.view.theta.forEach((_, k) => {
    arena.view.theta[k] = Math.sin(k)
  })
  return arena
}

const direction = (k: number, t: number) => Math.cos(k * 3 + t) * (k % 2 ? 1 : 1e-4)

test('adam follows its equations over many steps', async () => {
  const optimizer = adam({ learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6 })
  const arena = await start(optimizer)
  const twin = Array.from(arena.view.theta, (x) => ({ x, m: 0, v: 0 }))
  for (let t = 1; t <= 60; t++) {
    arena.view.direction.forEach((_, k) => {
      arena.view.direction[k] = direction(k, t)
    })
    optimizer.step(arena, t)
    twin.forEach((p, k) => {
      const g = Math.fround(direction(k, t))
      p.m = 0.8 * p.m + 0.2 * g
      p.v = 0.95 * p.v + 0.05 * g * g
      p.x += (0.02 * (p.m / (1 - 0.8 ** t))) / (Math.sqrt(p.v / (1 - 0.95 ** t)) + 1e-6)
    })
  }
  twin.forEach(({ x }, k) => void expect(Math.abs(arena.view.theta[k] - x)).toBeLessThan(1e-5))
})

test('the first step of adam has the length of the learning rate, uphill', async () => {
  const optimizer = adam({ learningRate: 0.1 })
  const arena = await start(optimizer)
  const before = arena.view.theta.slice()
  arena.view.direction.fill(-3)
  optimizer.step(arena, 1)
  arena.view.theta.forEach((x, k) => void expect(x - before[k]).toBeCloseTo(-0.1, 5))
})

test('adagrad follows the equations of the SVGD authors: the first step fills the history, later ones forget', async () => {
  const optimizer = adagrad({ learningRate: 0.02 })
  const arena = await start(optimizer)
  const twin = Array.from(arena.view.theta, (x) => ({ x, history: 0 }))
  for (let t = 1; t <= 60; t++) {
    arena.view.direction.forEach((_, k) => {
      arena.view.direction[k] = direction(k, t)
    })
    optimizer.step(arena, t)
    twin.forEach((p, k) => {
      const g = Math.fround(direction(k, t))
      p.history = t === 1 ? g * g : 0.9 * p.history + 0.1 * g * g
      p.x += (0.02 * g) / (1e-6 + Math.sqrt(p.history))
    })
    if (t === 1) twin.forEach(({ x }, k) => void expect(Math.abs(arena.view.theta[k] - x)).toBeLessThan(1e-6))
  }
  twin.forEach(({ x }, k) => void expect(Math.abs(arena.view.theta[k] - x)).toBeLessThan(1e-5))
})

test('an optimizer has memory for the moments that it keeps, and no other', async () => {
  const sizes = async (optimizer: Optimizer) => {
    const { view } = await start(optimizer)
    return [view.moment1.length, view.moment2.length]
  }
  expect(await sizes(sgd({ learningRate: 1 }))).toEqual([0, 0])
  expect(await sizes(adagrad({ learningRate: 1 }))).toEqual([0, 24])
  expect(await sizes(adam({ learningRate: 1 }))).toEqual([24, 24])
})

test.each([1, -0.1, Number.NaN])('the decay %p is refused', (beta) => {
  const message = `must be a number of at least 0 and below 1, got ${beta}.`
  expect(() => adam({ learningRate: 1, beta1: beta })).toThrow(`beta1 ${message}`)
  expect(() => adam({ learningRate: 1, beta2: beta })).toThrow(`beta2 ${message}`)
  expect(() => adagrad({ learningRate: 1, momentum: beta })).toThrow(`momentum ${message}`)
})

test('sgd adds rate times direction', async () => {
  const optimizer = sgd({ learningRate: 0.25 })
  const arena = await start(optimizer)
  const before = arena.view.theta.slice()
  arena.view.direction.fill(2)
  optimizer.step(arena, 1)
  arena.view.theta.forEach((x, k) => void expect(x).toBe(Math.fround(before[k] + 0.5)))
})

test.each([0, -1, Number.NaN])('the learning rate %p is refused', (learningRate) => {
  expect(() => adam({ learningRate })).toThrow(`learningRate must be a finite number above 0, got ${learningRate}.`)
})

test.each([0, 100])('coin follows the equations of its bets, with slowness %d', async (slowness) => {
  const optimizer = coin({ slowness })
  const arena = await start(optimizer)
  const twin = Array.from(arena.view.theta, (x) => ({ x, start: x, sum: 0, sizes: 0, largest: 0, reward: 0 }))
  for (let t = 1; t <= 200; t++) {
    arena.view.direction.forEach((_, k) => {
      arena.view.direction[k] = direction(k, t)
    })
    optimizer.step(arena, t)
    twin.forEach((p, k) => {
      const c = Math.fround(direction(k, t))
      p.largest = Math.max(p.largest, Math.abs(c))
      p.sizes += Math.abs(c)
      p.reward = Math.max(p.reward + (p.x - p.start) * c, 0)
      p.sum += c
      p.x = Math.fround(
        p.start + (p.sum / Math.max(p.sizes + p.largest, slowness * p.largest)) * (1 + p.reward / p.largest),
      )
    })
  }
  twin.forEach(({ x }, k) => void expect(Math.abs(arena.view.theta[k] - x)).toBeLessThan(1e-5))
})

test('coin finds a maximum at any distance and in any unit without a rate', async () => {
  const optimizer = coin()
  const arena = await start(optimizer)
  const { theta, direction } = arena.view
  // −|x − c|, whose minimum is at c = 1000: a rate of 0.1 would need 10,000 steps.
  for (let t = 1; t <= 400; t++) {
    direction.forEach((_, k) => {
      direction[k] = 1e-3 * Math.sign(1000 - theta[k])
    })
    optimizer.step(arena, t)
  }
  theta.forEach((x) => void expect(Math.abs(x - 1000)).toBeLessThan(100))
})

test('coin stays where there has been no direction yet', async () => {
  const optimizer = coin()
  const arena = await start(optimizer)
  const before = arena.view.theta.slice()
  arena.view.direction.fill(0)
  optimizer.step(arena, 1)
  expect(arena.view.theta).toEqual(before)
  expect(() => coin({ slowness: -1 })).toThrow('slowness must be')
})
