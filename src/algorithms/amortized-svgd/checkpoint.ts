import { refuseNoState } from '../../core/options.ts'
import { countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf, type StatePart } from '../../core/state.ts'
import { loadPart, savePart } from '../../core/state-file.ts'
import { trainablePart } from '../../rl/trainable.ts'
import type { AmortizedState } from './amortized-svgd.ts'

/**
 * What amortized SVGD goes on from after this step, as bytes: the sampler, the moments of its Adam and the number of
 * steps, which noise and minibatches follow from.
 *
 * @throws UsageError for what is no state
 */
export function saveAmortized(state: AmortizedState): Uint8Array {
  refuseNoState('saveAmortized', state, 'amortized SVGD')
  return savePart('amortized-svgd', aboutOf(state), partOf(state))
}

/**
 * Puts a state to where saveAmortized() found another one.
 *
 * @throws UsageError for bytes that are damaged, and for other settings; the state is as it was then
 */
export function loadAmortized(state: AmortizedState, bytes: Uint8Array): void {
  refuseNoState('loadAmortized', state, 'amortized SVGD')
  loadPart('amortized-svgd', aboutOf(state), partOf(state), bytes)
}

/** What must be the same; the score cannot be compared. */
const aboutOf = ({
  problem: { config },
  network: { widths, layers },
  minibatches: { options: minibatch },
}: AmortizedState) => ({
  ...config,
  ...{ widths, activations: layers.map(({ activation }) => activation), minibatch },
})

const partOf = (state: AmortizedState): StatePart =>
  partsOf({ sampler: trainablePart(state.sampler), counters: fieldsPart(state, { iteration: countSchema }) })
