import * as v from 'valibot'
import { show, UsageError } from '../core/errors.ts'
import {
  check,
  fraction,
  layerWidths,
  nonNegativeFloat32,
  oneOf,
  positiveFloat32,
  trueOrFalse,
  wholeNumber,
} from '../core/schemas.ts'
import { derived, setting } from '../core/settings.ts'

const estimators = ['reinforce', 'a2c', 'ppo'] as const
const selfImitations = ['none', 'transitions', 'trajectories'] as const
const imitationRewardNames = ['positive', 'log-odds'] as const
const baselines = ['none', 'mean', 'linear', 'linear-rllab', 'value'] as const

/**
 * What is subtracted from the return to make an advantage:
 *
 * 'none': nothing; 'mean': the mean return of the rows; 'linear': a linear value function of the observation and its
 * square, fitted to the particle's last rollout; its values stay within the returns that it was fitted to;
 * 'linear-rllab': the linear-feature value function of Duan et al. 2016, with a cubic in time that has no bounds, for
 * rollouts that hold whole episodes of tasks with few observations; 'value': a value network, the particle's critic,
 * trained on its own loss after it was used.
 *
 * The last three do not depend on the actions they are applied to, and continue the returns of episodes that are cut.
 */
export type Baseline = (typeof baselines)[number]

/** How a gradient is estimated from rollouts. */
export const gradientEntries = {
  estimator: setting(
    oneOf('estimator', estimators),
    'reinforce',
    'reinforce: ∇ log π times the return-to-go less a baseline (Williams 1992); a2c: returns that a critic cuts short ' +
      '(Mnih et al. 2016); ppo: several passes over a rollout with the clipped ratio (Schulman et al. 2017).',
  ),
  baseline: derived(
    oneOf('baseline', baselines),
    'linear for reinforce, value for a2c and ppo',
    "What is subtracted from the return: nothing, the mean return, a linear value function (or rllab's), or a value " +
      'network.',
  ),
  discount: setting(fraction('discount'), 0.99, 'γ of returns.'),
  lambda: derived(
    v.nullable(fraction('lambda')),
    '1 for reinforce, 0.95 for a2c and ppo',
    'λ of generalised advantage estimation; 1 takes the whole return.',
  ),
  nSteps: derived(
    v.nullable(wholeNumber('nSteps', 1, 100_000)),
    'none',
    'Steps after which a value takes the place of the rest of a return, instead of λ.',
  ),
  rewardScale: setting(
    positiveFloat32('rewardScale'),
    1,
    'Multiplies rewards on their way to advantages and critic, where returns are too large for its weights.',
  ),
  standardise: setting(
    trueOrFalse('standardise'),
    true,
    'Brings the advantages of each rollout to mean 0 and deviation 1.',
  ),
  entropyBonus: setting(
    nonNegativeFloat32('entropyBonus'),
    0,
    'β in J + β mean H(π(·|s)): a bonus for the entropy at the visited states.',
  ),
  entropyReward: setting(
    nonNegativeFloat32('entropyReward'),
    0,
    'τ in rewards r − τ log π(a|s): a return that counts the entropy of later states.',
  ),
  criticHidden: setting(
    layerWidths('a hidden width of the critic', 'criticHidden'),
    [64, 64],
    'Widths of the hidden layers of the critic, which are tanh.',
  ),
  criticLearningRate: setting(positiveFloat32('criticLearningRate'), 1e-3, "Learning rate of the critic's Adam."),
  criticEpochs: setting(wholeNumber('criticEpochs', 1, 10_000), 4, 'Passes of the critic over a rollout.'),
  criticBatch: setting(wholeNumber('criticBatch', 1, 1_000_000), 256, 'Rows of a step of the critic.'),
  clip: setting(positiveFloat32('clip'), 0.2, 'ε of ppo: the ratio of probabilities counts up to 1 ± ε.'),
  epochs: derived(
    wholeNumber('epochs', 1, 10_000),
    '5 for ppo, 1 for the others',
    'Passes of ppo over a rollout; the other estimators take one step.',
  ),
  minibatches: derived(
    wholeNumber('minibatches', 1, 1_000_000),
    '4 for ppo, 1 for the others',
    'Minibatches of each pass of ppo.',
  ),
}

/** Learning from what went well before. */
const imitationEntries = {
  selfImitation: setting(
    oneOf('selfImitation', selfImitations),
    'none',
    'transitions: steps towards past actions whose return exceeds the value (Oh et al. 2018); trajectories: the reward of ' +
      'a discriminator between the policy and its best trajectories (Gangwani et al. 2018).',
  ),
  imitationSteps: setting(
    wholeNumber('imitationSteps', 1, 10_000),
    4,
    'Self-imitation of transitions: steps after those of the estimator.',
  ),
  imitationBatch: setting(
    wholeNumber('imitationBatch', 1, 1_000_000),
    512,
    'Self-imitation of transitions: rows of each step.',
  ),
  imitationCapacity: setting(
    wholeNumber('imitationCapacity', 1, 10_000_000),
    10_000,
    'Self-imitation of transitions: rows that each particle keeps.',
  ),
  priorityExponent: setting(
    fraction('priorityExponent'),
    0.6,
    'Self-imitation of transitions: exponent of the priorities (R − V)₊ of replay.',
  ),
  importanceExponent: setting(
    fraction('importanceExponent'),
    0.1,
    'Self-imitation of transitions: exponent of the importance weights.',
  ),
  imitationValueWeight: setting(
    nonNegativeFloat32('imitationValueWeight'),
    0.01,
    "Self-imitation of transitions: weight of the critic's loss ½ (R − V)₊².",
  ),
  imitationShare: setting(
    fraction('imitationShare'),
    0.8,
    "Self-imitation of trajectories: μ, the share of the discriminator's advantages.",
  ),
  trajectories: setting(
    wholeNumber('trajectories', 1, 1000),
    10,
    'Self-imitation of trajectories: how many each particle keeps.',
  ),
  imitationReward: setting(
    oneOf('imitationReward', imitationRewardNames),
    'positive',
    'Self-imitation of trajectories: positive is −log(1 − D), which also pays for every step that an episode lasts; ' +
      'log-odds is log D − log(1 − D), which does not (Fu, Luo & Levine 2018).',
  ),
  discriminatorHidden: setting(
    layerWidths('a hidden width of the discriminator', 'discriminatorHidden'),
    [100, 100],
    'Self-imitation of trajectories: widths of the hidden layers of the discriminator.',
  ),
  discriminatorLearningRate: setting(
    positiveFloat32('discriminatorLearningRate'),
    1e-4,
    "Self-imitation of trajectories: learning rate of the discriminator's Adam.",
  ),
  discriminatorSteps: setting(
    wholeNumber('discriminatorSteps', 1, 1000),
    1,
    'Self-imitation of trajectories: steps of the discriminator on each rollout; one suits thousands of iterations.',
  ),
}

/** The settings of gradient estimators, flat; see `estimatorOf` for what the defaults depend on. */
export const estimatorEntries = { ...gradientEntries, ...imitationEntries }

const schema = v.object(estimatorEntries)

export type EstimatorOptions = v.InferInput<typeof schema>

/** How a policy's gradient is estimated: a record of plain values, which can be posted to workers. */
export interface Estimator extends Readonly<v.InferOutput<typeof schema>> {
  readonly baseline: Baseline
  /** One of these two. */
  readonly lambda: number | null
  readonly nSteps: number | null
  readonly epochs: number
  readonly minibatches: number
}

/**
 * Checks the settings and fills in the defaults.
 *
 * @throws UsageError for a value out of range, or settings that contradict each other
 */
export function estimatorOf(options: EstimatorOptions = {}): Estimator {
  const given = check(schema, options)
  const { estimator } = given
  const isReinforce = estimator === 'reinforce'
  const baseline = given.baseline ?? (isReinforce ? 'linear' : 'value')
  const bootstraps = baseline !== 'none' && baseline !== 'mean'
  const { lambda = null, nSteps = null } = given
  if (!bootstraps && !isReinforce)
    throw new UsageError(
      `${estimator} needs the baseline linear, linear-rllab or value, which know values, got ${show(baseline)}.`,
    )
  if (!bootstraps && ((lambda ?? 1) !== 1 || nSteps !== null))
    throw new UsageError(
      `lambda and nSteps need the baseline linear, linear-rllab or value, which know values, got ${show(baseline)}.`,
    )
  if (lambda !== null && nSteps !== null)
    throw new UsageError('Returns are cut by lambda or by nSteps; set one of them.')
  if (given.selfImitation === 'transitions' && baseline !== 'value')
    throw new UsageError(`selfImitation transitions needs a critic: the baseline value, got ${show(baseline)}.`)
  if (estimator !== 'ppo' && (given.epochs ?? 1) * (given.minibatches ?? 1) !== 1)
    throw new UsageError(`Only ppo takes several passes over a rollout, got the estimator ${show(estimator)}.`)
  const [epochs, minibatches] = estimator === 'ppo' ? [5, 4] : [1, 1]
  return {
    ...given,
    baseline,
    lambda: nSteps === null ? (lambda ?? (isReinforce ? 1 : 0.95)) : null,
    nSteps,
    epochs: given.epochs ?? epochs,
    minibatches: given.minibatches ?? minibatches,
  }
}

/** How many gradients are taken on a rollout. */
export const passesOf = ({ epochs, minibatches }: Estimator) => epochs * minibatches

/** How many gradients an iteration takes: those on its rollout, then those on what is remembered. */
export const gradientsOf = (estimator: Estimator) =>
  passesOf(estimator) + (estimator.selfImitation === 'transitions' ? estimator.imitationSteps : 0)
