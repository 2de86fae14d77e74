/**
 * Titles and captions of the numbers of an iteration, in the order in which reports show them; numbers that an
 * algorithm adds and that are not listed here follow under their own names.
 */
export const QUANTITIES: Readonly<Record<string, readonly [title: string, caption: string]>> = {
  thetaNorm: ['Norm of the parameters', 'Length |θ|: learning and repulsion both make weights grow.'],
  entropy: ['Entropy', 'Entropy of the policies in nats.'],
  drive: ['Drive', 'Mean norm of the first term of the Stein direction.'],
  sharing: ['Sharing', 'Mean norm of the part of the drive that comes from other policies.'],
  repulsion: ['Repulsion', 'Mean norm of the second term of the Stein direction.'],
  kernelOffDiagonal: ['Kernel between policies', 'Mean k(x, y) over pairs: near 0 they do not feel each other.'],
  bandwidth: ['Bandwidth', 'h of the kernel: how far particles feel each other, squared.'],
  temperature: ['Temperature', 'α: the hotter, the more entropy counts beside the return.'],
  qLoss: ['Loss of Q', 'Mean of half the squared error of the soft Bellman equation, summed over the Q networks.'],
  value: ['Soft value', 'Mean V of the next states that Q learns from: it should come to rest.'],
  direction: [
    'Direction of the actions',
    'Mean norm of the Stein direction of a state’s actions: what the sampler still has to learn.',
  ],
  discriminatorAccuracy: [
    'Accuracy of the discriminator',
    'Share of new transitions that it tells apart: at ½ the proposed environments feel like the reference.',
  ],
  discriminatorReward: ['Reward of the particles', 'Mean of log D − log ½ over the proposed environments.'],
  actionDivergence: [
    'Divergence of actions',
    'Bits that an action tells of which of two policies took it, mean over pairs and states of both: 0 the same, 1 apart.',
  ],
  behaviourVolume: [
    'Volume of behaviours',
    'log det of the likeness of greedy actions at shared states: 0 where all differ, far below where policies are alike.',
  ],
  coverage: ['Coverage', 'Cells of the task’s grid that the population has visited so far.'],
  coverageNow: ['Coverage in an iteration', 'Cells that it visited in one iteration.'],
  qualityDiversity: ['QD score', 'Sum over the cells of an iteration of the best return of a policy that was there.'],
}

/** Title and caption of a number by any name, as `constructor`, which is one that objects have anyway. */
export const titled = (name: string): readonly [title: string, caption: string] =>
  Object.hasOwn(QUANTITIES, name) ? QUANTITIES[name] : [name, '']
