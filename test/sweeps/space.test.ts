import { describe, expect, test } from '@jest/globals'
import { dimensionsOf, placeOf, type SweepSpace, valueAt } from '../../src/sweeps/space.ts'

const one = (space: SweepSpace) => dimensionsOf('svpg', space)[0]
const refusal = (space: unknown) => {
  try {
    dimensionsOf('svpg', space as SweepSpace)
  } catch (error) {
    return (error as Error).message
  }
}

describe('values of a range', () => {
  const places = Array.from({ length: 1000 }, (_, k) => k / 1000)

  test('on a log scale they are from (to/from)^u in four digits, and the place of a value is where it was drawn', () => {
    const rate = one({ learningRate: { from: 1e-4, to: 1e-1, scale: 'log' } })
    for (const u of places) {
      const value = valueAt(rate, u) as number
      expect(value / (1e-4 * 1000 ** u)).toBeCloseTo(1, 3)
      expect(Number(value.toPrecision(4))).toBe(value)
      expect(placeOf(rate, value)).toBeCloseTo(u, 3)
    }
  })

  test('whole numbers reach both ends, each as often as the others', () => {
    const epochs = one({ epochs: { from: 2, to: 6 } })
    const counts = new Map<unknown, number>()
    for (const u of places) counts.set(valueAt(epochs, u), (counts.get(valueAt(epochs, u)) ?? 0) + 1)
    expect([...counts]).toEqual([2, 3, 4, 5, 6].map((x) => [x, 200]))
    const log = one({ steps: { from: 16, to: 1024, scale: 'log' } })
    expect(valueAt(log, 0)).toBe(16)
    expect(valueAt(log, 0.9999)).toBe(1024)
    // The ends are those of the numbers that are rounded to them, 15.5 and 1024.5.
    expect(valueAt(log, 0.5)).toBe(126)
  })

  test('a step makes a grid, that ends at its last point', () => {
    const steps = one({ steps: { from: 32, to: 100, step: 32 } })
    expect(steps).toMatchObject({ from: 32, to: 96 })
    expect([...new Set(places.map((u) => valueAt(steps, u)))]).toEqual([32, 64, 96])
    const discount = one({ discount: { from: 0.9, to: 1, step: 0.025 } })
    expect([...new Set(places.map((u) => valueAt(discount, u)))]).toEqual([0.9, 0.925, 0.95, 0.975, 1])
  })

  test('a list is gone through in equal parts', () => {
    const hidden = one({ hidden: { among: [[8], [16, 16]] } })
    expect([0, 0.49, 0.5, 0.99].map((u) => valueAt(hidden, u))).toEqual([[8], [8], [16, 16], [16, 16]])
    expect(placeOf(hidden, [16, 16])).toBe(1)
  })
})

test('what is no space is refused in a sentence', () => {
  const wrong: [unknown, string][] = [
    [
      { learningrate: { from: 1, to: 2 } },
      'The space of svpg has no option "learningrate": it is called learningRate here.',
    ],
    [{ learnRate: { from: 1, to: 2 } }, 'The space of svpg has no option "learnRate"; the nearest is learningRate.'],
    [{ seed: { from: 1, to: 2 } }, 'The space of svpg has no option "seed"'],
    [{}, 'A sweep needs a setting of svpg to try in its space, got none.'],
    [{ clip: { from: 0.3, to: 0.3 } }, 'The range of clip is empty: 0.3 is not below 0.3.'],
    [{ clip: { from: 0.3, to: 0.1 } }, 'The range of clip is empty: 0.3 is not below 0.1.'],
    [{ clip: { from: 0.3 } }, 'The range of clip must have finite numbers, got undefined.'],
    [{ epochs: { from: 1, to: 2.5 } }, 'The range of epochs must have whole numbers, got 2.5.'],
    [{ discount: { from: 0, to: 1, scale: 'log' } }, 'The range of discount on a log scale must be above 0, got 0.'],
    [{ clip: { from: 0.1, to: 1, scale: 'ln' } }, 'The scale of clip must be linear or log, got "ln".'],
    [{ clip: { from: 0.1, to: 1, step: 2 } }, 'The step of clip must be above 0 and at most 0.9, got 2.'],
    [
      { kernel: { from: 1, to: 2 } },
      'kernel is no number that could have a range: list its values, as { "among": [ … ] }.',
    ],
    [{ kernel: { among: [] } }, 'kernel must have a list of values to try in "among", got [].'],
    [{ hidden: { among: [[8], [8]] } }, 'hidden has [8] twice in "among".'],
    [{ clip: 0.2 }, 'clip in the space must be { "from": …, "to": … } or { "among": [ … ] }, got 0.2.'],
    [{ clip: { from: 0, to: 1, log: true } }, 'clip in the space has no option "log"'],
  ]
  for (const [space, message] of wrong) expect(refusal(space)).toContain(message)
})
