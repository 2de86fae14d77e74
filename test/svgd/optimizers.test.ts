import { expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { steinFields } from '../../src/svgd/direction.ts'
import { adam, optimizerFields, sgd } from '../../src/svgd/optimizers.ts'

const module = await compileCore()
const n = 3
const d = 5

async function start() {
  const arena = await createArena(module, { ...steinFields(n, d), ...optimizerFields(n, d) })
  arena.view.theta.forEach((_, k) => {
    arena.view.theta[k] = Math.sin(k)
  })
  return arena
}

const direction = (k: number, t: number) => Math.cos(k * 3 + t) * (k % 2 ? 1 : 1e-4)

test('adam follows its equations over many steps', async () => {
  const arena = await start()
  const options = { learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6 }
  const optimizer = adam(options)
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
  const arena = await start()
  const before = arena.view.theta.slice()
  arena.view.direction.fill(-3)
  adam({ learningRate: 0.1 }).step(arena, 1)
  arena.view.theta.forEach((x, k) => void expect(x - before[k]).toBeCloseTo(-0.1, 5))
})

test('sgd adds rate times direction', async () => {
  const arena = await start()
  const before = arena.view.theta.slice()
  arena.view.direction.fill(2)
  sgd({ learningRate: 0.25 }).step(arena, 1)
  arena.view.theta.forEach((x, k) => void expect(x).toBe(Math.fround(before[k] + 0.5)))
})

test.each([0, -1, Number.NaN])('the learning rate %p is refused', (learningRate) => {
  expect(() => adam({ learningRate })).toThrow(`learningRate must be a finite number above 0, got ${learningRate}.`)
})
