import { UsageError } from '../core/errors.ts'
import { drawsOf } from './draws.ts'
import { deviations, stack } from './gaussian.ts'
import type { Mode } from './mode.ts'
import type { Model } from './model.ts'
import { freeLabels, type Start, type Supports } from './parameters.ts'
import type { ScalarMath } from './supports.ts'
import type { Target } from './target.ts'

// Whether float32 can show a posterior. It has 24 bits: N(1.7e9, 1) has neighbouring numbers 128 standard deviations
// apart, at which no step and no difference quotient sees the density.

/** What rounding changes of a number, as a share of it. */
const ROUNDING = 1 / 8388608
/** Neighbouring float32 numbers must lie closer than this many standard deviations of a marginal, */
const MARGINAL = 0.3
/** and closer than this many of a coordinate alone, with the others held. */
const CONDITIONAL = 1
/** Over how many neighbours the slope of the score is taken. */
const NEIGHBOURS = 8

/**
 * Refuses a posterior that float32 cannot resolve, in its free numbers or in its values.
 *
 * The standard deviations of the mode do not tell alone: where the density is finer than float32, differences of the
 * score between neighbours are 0 or huge, and so are they. So each coordinate is looked at over several neighbours.
 *
 * @throws UsageError that names the parameter
 */
export function refuseUnresolved<S extends Supports>(
  model: Model<S>,
  target: Target,
  mode: Mode,
  math: ScalarMath,
): void {
  const centre = mode.centre.map(Math.fround)
  const gaps = gapsOf(model, centre, math)
  const conditional = conditionalDeviations(target, centre, gaps)
  const marginal = deviations(mode)
  freeLabels(model.parameters).forEach((label, k) => {
    const isCoarse = gaps[k] > CONDITIONAL * conditional[k]
    if (!isCoarse && gaps[k] <= MARGINAL * marginal[k]) return
    const sd = isCoarse ? conditional[k] : marginal[k]
    throw new UsageError(
      `float32 cannot resolve ${label}: its free number is ${sd.toPrecision(2)} wide around ${centre[k].toPrecision(8)}, ` +
        `where neighbouring numbers are ${gaps[k].toPrecision(2)} apart; subtract a constant from the parameter and from ` +
        'the data, or take a unit in which the posterior is wide.',
    )
  })
}

/** [d] how far free numbers are from their neighbours: their own, or those of their values. */
function gapsOf<S extends Supports>(model: Model<S>, centre: Float64Array, math: ScalarMath): Float64Array {
  const gaps = centre.map((value) => ROUNDING * Math.abs(value))
  const { supports, names, offsets } = model.parameters
  const values = drawsOf({ ...model, generated: undefined }, centre)
  for (const name of names) {
    const { data } = values[name]
    const [here, next] = [data, data.map((value) => value * (1 + ROUNDING))].map((numbers) => {
      try {
        return model.parameters.unconstrain({ [name]: numbers } as unknown as Start<S>, math)
      } catch {
        // At an edge, which is a case for the diagnosis.
        return null
      }
    })
    if (!here || !next) continue
    for (let k = offsets[name]; k < offsets[name] + supports[name].size; k++)
      gaps[k] = Math.max(gaps[k], Math.abs(next[k] - here[k]))
  }
  return gaps
}

/** [d] 1/√(−∂²log p/∂u_k²), by the score some neighbours ahead and behind; Infinity where it does not fall. */
function conditionalDeviations(target: Target, centre: Float64Array, gaps: Float64Array): Float64Array {
  const d = centre.length
  const rows = [1, -1].flatMap((sign) =>
    Array.from(centre, (_, k) =>
      centre.map((value, l) => (l === k ? value + sign * NEIGHBOURS * Math.max(gaps[k], 1e-30) : value)),
    ),
  )
  const { score } = target.at(stack(rows))
  return centre.map((_, k) => {
    const fall = score[(d + k) * d + k] - score[k * d + k]
    return fall > 0 ? Math.sqrt((2 * NEIGHBOURS * gaps[k]) / fall) : Number.POSITIVE_INFINITY
  })
}
