import { expect, test } from '@jest/globals'
import { iterationTime, speedup } from '../../bench/cluster/model.ts'

const network = { bandwidth: Number.POSITIVE_INFINITY, latency: 0 }

test('without costs on the way, time is that of the busiest worker; with them it is the driver at last', () => {
  const free = { evaluation: 10, overhead: 0, bytes: 0 }
  expect(iterationTime(7, 3, free, 5, network)).toBe(3 * 10 + 5)
  expect(iterationTime(64, 64, free, 0, network)).toBe(10)
  // Every job passes the driver twice, one after the other.
  const costly = { evaluation: 10, overhead: 2, bytes: 0 }
  expect(iterationTime(1, 1, costly, 0, network)).toBe(12)
  expect(iterationTime(1000, 1000, costly, 0, network)).toBeCloseTo(1000 + 10 + 1, 6)
  // A link of 1 byte a millisecond carries half of the bytes each way.
  expect(iterationTime(1, 1, { evaluation: 10, overhead: 0, bytes: 8 }, 0, { bandwidth: 1, latency: 0.5 })).toBe(19)
  expect(speedup(1, costly, 3)).toBe(1)
})
