import { generator, uniform, uniformInteger } from '../core/generator.ts'
import { sobol } from './sobol.ts'

/** The places in [0, 1)^d that trials try: a function of the seed and of the trial's number alone. */
type Sampler = (trial: number) => number[]

/** Independent uniform places. */
export function randomSampler(seed: number, dimensions: number): Sampler {
  const numbers = generator(seed)
  return (trial) => {
    numbers.count = trial * dimensions
    return Array.from({ length: dimensions }, () => uniform(numbers))
  }
}

/** A Sobol sequence, shifted by numbers of the seed. */
export function sobolSampler(seed: number, dimensions: number): Sampler {
  const numbers = generator(seed)
  return sobol(
    dimensions,
    Array.from({ length: dimensions }, () => uniformInteger(numbers, 1 << 30)),
  )
}
