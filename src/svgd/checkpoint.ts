import { refuseNoState } from '../core/options.ts'
import { countSchema } from '../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf, type StatePart } from '../core/state.ts'
import { loadPart, savePart } from '../core/state-file.ts'
import type { SvgdState } from './svgd.ts'

/**
 * What SVGD goes on from after this step, as bytes: particles, moments and the number of steps, which the order of
 * minibatches follows from.
 *
 *     const bytes = saveSvgd(state)
 *     const again = await init({ particles, dimension, seed })
 *     loadSvgd(again, bytes)
 *
 * Steps from there give the bytes that they would have given.
 *
 * @throws UsageError for what is no state
 */
export function saveSvgd(state: SvgdState): Uint8Array {
  refuseNoState('saveSvgd', state, 'SVGD')
  return savePart('svgd', aboutOf(state), partOf(state))
}

/**
 * Puts a state to where saveSvgd() found another one, with any number of threads.
 *
 * @throws UsageError for bytes that are damaged, and for another number of particles, dimension, seed, optimizer or
 *   minibatch; the state is as it was then
 */
export function loadSvgd(state: SvgdState, bytes: Uint8Array): void {
  refuseNoState('loadSvgd', state, 'SVGD')
  loadPart('svgd', aboutOf(state), partOf(state), bytes)
}

/** What must be the same. The score, the kernel and schedules are functions, which cannot be compared. */
const aboutOf = ({ particles, dimension, seed, madeFor, minibatches: { options: minibatch } }: SvgdState) => ({
  ...{ particles, dimension, seed, minibatch },
  optimizer: JSON.parse(madeFor)[0],
})

function partOf(state: SvgdState): StatePart {
  const { theta, moment1, moment2, pathCentre, pathSpread, startSpread, bets } = state.arena.view
  return partsOf({
    arrays: arraysPart({ theta, moment1, moment2, pathCentre, pathSpread, startSpread, bets }),
    counters: fieldsPart(state, { iteration: countSchema }),
  })
}
