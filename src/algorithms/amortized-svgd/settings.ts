import * as v from 'valibot'
import { show } from '../../core/errors.ts'
import { nonNegativeFloat32, oneOf, positiveFloat32, wholeNumber } from '../../core/schemas.ts'
import { seedEntry, setting } from '../../core/settings.ts'

export const amortizedRules = ['chain', 'regression', 'discrepancy'] as const

const batches = v.pipe(
  v.custom<1 | 2>(
    (input) => input === 1 || input === 2,
    ({ input }) => `batches must be 1 or 2, got ${show(input)}.`,
  ),
  v.metadata({ kind: 'whole', allowed: '1 or 2' }),
)

export const amortizedSchema = v.object({
  rule: setting(oneOf('rule', amortizedRules), 'chain', 'How the sampler follows its particles.'),
  particles: setting(
    wholeNumber('particles', 2, 10_000),
    100,
    'n, points drawn from the sampler in a step; with two batches, in each.',
  ),
  batches: setting(
    batches,
    1,
    '1: the particles of the direction drive the sampler themselves; 2: another batch of as many does.',
  ),
  temperature: setting(positiveFloat32('temperature'), 1, 'α, which divides the score: the sampler comes to p^(1/α).'),
  repulsion: setting(
    nonNegativeFloat32('repulsion'),
    1,
    "Multiplies the repulsion; the authors' code has 100 beside row sums.",
  ),
  normalise: setting(
    oneOf('normalise', ['n', 'row sum']),
    'n',
    'What the sums over j are divided by: n, or Σ_j k(x_j, x_i).',
  ),
  learningRate: setting(positiveFloat32('learningRate'), 5e-3, 'Learning rate of Adam on η.'),
  stepSize: setting(positiveFloat32('stepSize'), 1, 'ε of the rule regression.'),
  passes: setting(wholeNumber('passes', 1, 1000), 5, 'Steps of Adam towards each target of the rule regression.'),
  seed: seedEntry,
})
