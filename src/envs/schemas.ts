import { wholeNumber } from '../core/schemas.ts'
import { MAX_STEPS } from './errors.ts'

/** Steps after which an episode is truncated. */
export const stepLimit = wholeNumber('maxEpisodeSteps', 1, MAX_STEPS)
