import * as v from 'valibot'
import {
  check,
  fraction,
  nonNegativeNumber,
  oneOf,
  positiveNumber,
  show,
  trueOrFalse,
  UsageError,
  wholeNumber,
} from '../core/errors.ts'

export const estimators = ['reinforce', 'a2c', 'ppo'] as const
export const selfImitations = ['none', 'transitions', 'trajectories'] as const
export const imitationRewardNames = ['positive', 'log-odds'] as const
export const baselines = ['none', 'mean', 'linear', 'value'] as const

/**
 * What is subtracted from the return to make an advantage:
 *
 * 'none': nothing; 'mean': the mean return of the rows;
 * 'linear': the linear-feature value function of Duan et al. 2016, fitted to the particle's previous rollouts;
 * 'value': a value network, the particle's critic, trained on its own loss after it was used.
 *
 * The last two do not depend on the actions they are applied to, and continue the returns of episodes that are cut.
 */
export type Baseline = (typeof baselines)[number]

/** How a gradient is estimated from rollouts. */
export const gradientEntries = {
  /**
   * 'reinforce': ∇ log π times the return-to-go less a baseline (Williams 1992);
   * 'a2c': the same with returns that are cut short by a critic (Mnih et al. 2016, synchronous);
   * 'ppo': several passes over a rollout with the clipped ratio (Schulman et al. 2017).
   */
  estimator: v.optional(oneOf('estimator', estimators), 'reinforce'),
  /** Default 'linear' for reinforce, 'value' for a2c and ppo. */
  baseline: v.optional(oneOf('baseline', baselines)),
  /** γ */
  discount: v.optional(fraction('discount'), 0.99),
  /** λ of generalised advantage estimation; 1 is the whole return. Default 1 for reinforce, 0.95 for a2c and ppo. */
  lambda: v.nullish(fraction('lambda')),
  /** Returns of so many steps in place of λ. Default: none. */
  nSteps: v.nullish(wholeNumber('nSteps', 1, 100_000)),
  /** Multiplies rewards on their way to advantages and critic, where returns are too large for its weights. */
  rewardScale: v.optional(positiveNumber('rewardScale'), 1),
  /** Advantages to mean 0 and deviation 1, for each particle's rollout. */
  standardise: v.optional(trueOrFalse('standardise'), true),
  /** β in J + β mean H(π(·|s)): a bonus for the entropy at the visited states, which does not look ahead (equation 6). */
  entropyBonus: v.optional(nonNegativeNumber('entropyBonus'), 0),
  /** τ in rewards r − τ log π(a|s): the entropy-augmented return, which does (equation 5). */
  entropyReward: v.optional(nonNegativeNumber('entropyReward'), 0),
  /** Widths of the hidden layers of the critic; they are tanh. */
  criticHidden: v.optional(v.array(wholeNumber('a hidden width of the critic', 1, 4096)), [64, 64]),
  /** Of the critic's Adam. */
  criticLearningRate: v.optional(positiveNumber('criticLearningRate'), 1e-3),
  /** Passes of the critic over a rollout, in minibatches of `criticBatch` rows. */
  criticEpochs: v.optional(wholeNumber('criticEpochs', 1), 4),
  criticBatch: v.optional(wholeNumber('criticBatch', 1), 256),
  /** ε of ppo: the ratio of probabilities counts up to 1 ± ε. */
  clip: v.optional(positiveNumber('clip'), 0.2),
  /** Passes of ppo over a rollout, in so many minibatches each. Default 5 and 4; other estimators take one step. */
  epochs: v.optional(wholeNumber('epochs', 1)),
  minibatches: v.optional(wholeNumber('minibatches', 1)),
}

/** Learning from what went well before. */
const imitationEntries = {
  /**
   * 'none';
   * 'transitions': self-imitation learning (Oh et al. 2018), steps towards past actions whose return exceeds the critic's value;
   * 'trajectories': the reward of a discriminator between the policy and its best trajectories (Gangwani et al. 2018).
   */
  selfImitation: v.optional(oneOf('selfImitation', selfImitations), 'none'),
  /** 'transitions': steps after those of the estimator, rows of each, and rows that are kept. */
  imitationSteps: v.optional(wholeNumber('imitationSteps', 1), 4),
  imitationBatch: v.optional(wholeNumber('imitationBatch', 1), 512),
  imitationCapacity: v.optional(wholeNumber('imitationCapacity', 1), 10_000),
  /** Exponents of prioritised replay: of the priorities (R − V)₊, and of the importance weights. */
  priorityExponent: v.optional(fraction('priorityExponent'), 0.6),
  importanceExponent: v.optional(fraction('importanceExponent'), 0.1),
  /** Weight of the critic's loss ½ (R − V)₊². */
  imitationValueWeight: v.optional(nonNegativeNumber('imitationValueWeight'), 0.01),
  /**
   * 'trajectories': μ, the share of the discriminator's advantage; trajectories that are kept; the discriminator's Adam, and
   * its steps on each rollout: the authors' single one suits thousands of iterations.
   */
  imitationShare: v.optional(fraction('imitationShare'), 0.8),
  trajectories: v.optional(wholeNumber('trajectories', 1, 1000), 10),
  /**
   * 'trajectories': 'positive' is −log(1 − D), the paper's, which also pays for every step that an episode lasts; 'log-odds' is
   * log D − log(1 − D), which does not (Fu, Luo & Levine 2018).
   */
  imitationReward: v.optional(oneOf('imitationReward', imitationRewardNames), 'positive'),
  discriminatorHidden: v.optional(v.array(wholeNumber('a hidden width of the discriminator', 1, 4096)), [100, 100]),
  discriminatorLearningRate: v.optional(positiveNumber('discriminatorLearningRate'), 1e-4),
  discriminatorSteps: v.optional(wholeNumber('discriminatorSteps', 1, 1000), 1),
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
  const bootstraps = baseline === 'linear' || baseline === 'value'
  const { lambda = null, nSteps = null } = given
  if (!bootstraps && !isReinforce)
    throw new UsageError(`${estimator} needs the baseline linear or value, which know values, got ${show(baseline)}.`)
  if (!bootstraps && ((lambda ?? 1) !== 1 || nSteps !== null))
    throw new UsageError(
      `lambda and nSteps need the baseline linear or value, which know values, got ${show(baseline)}.`,
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
