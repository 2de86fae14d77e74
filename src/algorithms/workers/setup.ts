import * as v from 'valibot'
import { show, UsageError } from '../../core/errors.ts'
import { lengthOf } from '../../core/layout.ts'
import { areFinite } from '../../core/require.ts'
import { check, trueOrFalse, wholeNumber } from '../../core/schemas.ts'
import { observationSize } from '../../envs/spaces.ts'
import { parsePolicy } from '../../nn/policy.ts'
import { estimatorOf } from '../../rl/estimator.ts'
import type { Job } from '../../rl/evaluator.ts'
import { headFor } from '../../rl/heads.ts'
import { packConstants } from '../../rl/randomisation.ts'
import { divergences } from '../../rl/visitation-density.ts'
import type { RandomisedSetup } from '../adr/evaluator.ts'
import { carriedFields, refuseCarried } from '../policy-gradient/evaluation-state.ts'

// What comes to a worker from a server may be anybody's: it is checked as settings are, before anything is allocated.

const word = wholeNumber('A half of a seed', 0, 0xffff_ffff)

const numbers = v.object({
  environments: wholeNumber('environments', 1, 100_000_000),
  steps: wholeNumber('steps', 1, 100_000),
  seed: v.object({ lo: word, hi: word }),
  episodicReward: v.optional(trueOrFalse('episodicReward')),
  wholeEpisodes: v.optional(trueOrFalse('wholeEpisodes')),
})

const rest = v.object({
  divergence: v.optional(v.picklist(divergences)),
  probes: v.optional(wholeNumber('probes', 1, 100_000)),
  constants: v.optional(v.array(v.string())),
})

/**
 * A setup as algorithms make it, from one that was sent.
 *
 * @throws UsageError for what no algorithm would have sent
 */
export function checkedSetup({ task, policy, estimator, core, tfjs, ...others }: RandomisedSetup): RandomisedSetup {
  const { spec } = task
  const parsed = parsePolicy(policy)
  const head = headFor(spec, parsed.head.name)
  if (parsed.observations !== observationSize(spec) || parsed.head.actions !== head.actions)
    throw new UsageError(`A policy was sent that does not fit ${spec.id}.`)
  const { divergence, probes, constants } = check(rest, others)
  return {
    task: { ...check(numbers, task), spec, head },
    ...{ policy: parsed, estimator: estimatorOf(estimator), core, tfjs },
    ...(divergence && { divergence }),
    ...(probes && { probes }),
    constants: constants ?? [],
  }
}

/** @throws UsageError for a job that does not fit the setup */
export function refuseJob(setup: RandomisedSetup, evaluator: string, job: Job): void {
  const { policy, task } = setup
  const { particle, theta, behaviour, carried, context } = job
  const refuse = (what: string) => {
    throw new UsageError(`The job of particle ${show(particle)} has ${what}.`)
  }
  for (const parameters of [theta, behaviour]) {
    if (parameters.length !== policy.size) refuse(`${parameters.length} parameters for a policy of ${policy.size}`)
    if (!areFinite(parameters)) refuse('a parameter that is not finite')
  }
  const fields = carriedFields(setup)
  for (const [name, array] of Object.entries(carried ?? {})) {
    if (!Object.hasOwn(fields, name)) refuse(`an array ${show(name)} that nobody carries`)
    const { field, grows } = fields[name]
    const length = lengthOf(field)
    if (grows ? array.length % length !== 0 : array.length !== length)
      refuse(`${array.length} numbers of ${name}, which has ${length}`)
  }
  if (evaluator === 'randomised') {
    const wanted = task.spec.core ? packConstants(task.spec, {}).length : setup.constants.length
    const constants = context?.constants
    const found = constants instanceof Float64Array ? constants.length : -1
    // None leave a task in TypeScript as it is: the reference.
    const fits = found === wanted || (found === 0 && !task.spec.core)
    if (!fits || !areFinite(constants)) refuse(`no ${wanted} finite constants`)
  } else if (carried) {
    const missing = Object.keys(fields).find((name) => !(name in carried))
    if (missing) refuse(`no ${missing}`)
    refuseCarried(setup, carried)
  }
}
