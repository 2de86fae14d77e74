import type { Command } from 'commander'
import { randomisations } from '../algorithms/adr/adr.ts'
import { selections } from '../algorithms/s2ac/stein-policy.ts'
import { interactions } from '../algorithms/svpg/interaction.ts'
import { activations, initialisations } from '../nn/network.ts'
import { headNames } from '../nn/policy.ts'
import { baselines, estimators, imitationRewardNames, selfImitations } from '../rl/estimator.ts'
import { temperatureSchedules } from '../rl/temperature.ts'
import type { AlgorithmName } from '../train/train.ts'
import { flag, json, list, number, ranges } from './values.ts'

/** What the command of an algorithm takes beside what all of them take. */
export interface AlgorithmSettings {
  readonly about: string
  /** Adds its settings as options. */
  readonly add: (command: Command) => Command
}

const policy = (command: Command) =>
  command
    .option('--hidden <widths>', 'hidden layers, as 64,64', list)
    .option('--activation <kind>', `of the hidden layers: ${activations.join(', ')} (tanh)`)
    .option('--head <kind>', `distribution of actions: ${headNames.join(', ')}; by default what fits the task`)
    .option('--initialisation <scheme>', `of the weights: ${initialisations.join(', ')} (normal)`)
    .option('--gain <factor>', 'of the initial weights of hidden layers (1)', number)
    .option('--last-gain <factor>', 'of the initial weights of the last layer (0.1)', number)

const gradient = (command: Command, estimator: string) =>
  command
    .option('--estimator <name>', `${estimators.join(', ')} (${estimator})`)
    .option('--baseline <kind>', `${baselines.join(', ')} (linear, or value for a2c and ppo)`)
    .option('--discount <gamma>', '(0.99)', number)
    .option('--lambda <lambda>', 'of generalised advantage estimation (1, or 0.95 for a2c and ppo)', number)
    .option('--n-steps <n>', 'returns of so many steps in place of lambda', number)
    .option('--critic-hidden <widths>', 'hidden layers of the critic, as 64,64', list)
    .option('--critic-learning-rate <rate>', 'of its Adam (0.001)', number)
    .option('--critic-epochs <n>', 'passes of the critic over a rollout (4)', number)
    .option('--critic-batch <rows>', 'of a step of the critic (256)', number)
    .option('--clip <epsilon>', 'of ppo (0.2)', number)
    .option('--epochs <n>', 'of ppo over a rollout (5)', number)
    .option('--minibatches <n>', 'of ppo in an epoch (4)', number)
    .option('--standardise <yes>', 'standardise advantages: true or false (true)', flag)
    .option('--entropy-bonus <beta>', 'for the entropy at visited states (0)', number)
    .option('--entropy-reward <tau>', 'in rewards less tau log pi, which looks ahead (0)', number)

const schedule = (command: Command) =>
  command
    .option('--temperature-schedule <kind>', `${temperatureSchedules.join(', ')} (constant)`)
    .option('--temperature-from <alpha>', 'where a schedule begins (ten times the temperature)', number)
    .option('--temperature-iterations <n>', 'of a schedule (those of the run)', number)

const svpg = (command: Command) =>
  schedule(gradient(policy(command), 'reinforce'))
    .option('--particles <n>', 'policies in the population (16)', number)
    .option('--temperature <alpha>', 'divides the policy gradient; the repulsion is not scaled (10)', number)
    .option('--interaction <how>', `${interactions.join(', ')} (stein)`)
    .option('--kernel <name>', 'rbf, matern32 or imq on parameters, js or symmetric-kl on behaviour (rbf)')
    .option('--kernel-temperature <T>', 'of a kernel on behaviour (0.5 for js, 1 for symmetric-kl)', number)
    .option('--exploration <share>', 'of a kernel on behaviour: fixed, or anneal from 1 to 0 (anneal)', number)
    .option('--per-layer <yes>', 'a kernel on each layer alone: true or false (false)', flag)
    .option('--repulsion <weight>', 'multiplies the repulsion (1)', number)
    .option('--evolution-every <n>', 'iterations between steps of evolution; 0 for none (0)', number)
    .option('--prior <sigma>', 'flat, or the standard deviation of a Gaussian prior (flat)', number)
    .option('--bandwidth <rule>', 'a named rule or a fixed h (svpg-code)', number)
    .option('--learning-rate <rate>', 'of Adam (0.005)', number)
    .option('--environments <n>', 'parallel environments of each particle (16)', number)
    .option('--steps <n>', 'steps of each environment in one iteration (128)', number)
    .option('--reward-scale <factor>', 'of rewards on their way to critic and advantages (1)', number)
    .option('--episodic-reward <yes>', 'all reward on the last step of an episode: true or false (false)', flag)
    .option('--self-imitation <kind>', `${selfImitations.join(', ')} (none)`)
    .option('--imitation-steps <n>', 'transitions: steps of an iteration (4)', number)
    .option('--imitation-batch <rows>', 'transitions: of a step (512)', number)
    .option('--imitation-capacity <rows>', 'transitions: that are kept (10000)', number)
    .option('--priority-exponent <alpha>', 'transitions: of replay (0.6)', number)
    .option('--importance-exponent <beta>', 'transitions: of importance weights (0.1)', number)
    .option('--imitation-value-weight <weight>', 'transitions: of the loss of the critic (0.01)', number)
    .option('--imitation-reward <kind>', `trajectories: ${imitationRewardNames.join(', ')} (positive)`)
    .option('--imitation-share <mu>', 'trajectories: of the advantages of the discriminator (0.8)', number)
    .option('--trajectories <n>', 'trajectories: that are kept (10)', number)
    .option('--discriminator-hidden <widths>', 'trajectories: hidden layers, as 100,100', list)
    .option('--discriminator-learning-rate <rate>', 'trajectories: of its Adam (0.0001)', number)
    .option('--discriminator-steps <n>', 'trajectories: of it in an iteration (1)', number)
    .option('--workers <n>', 'evaluate particles on so many workers, or auto; the same bytes (auto)', number, 'auto')

/** Settings of all that learn from a replay. */
const offPolicy = (command: Command) =>
  command
    .option('--temperature <alpha>', 'weight of the entropy', number)
    .option('--environments <n>', 'environments that step together (1)', number)
    .option('--steps <n>', 'steps of each environment in one iteration (1000)', number)
    .option('--start <n>', 'transitions before learning begins (1000)', number)
    .option('--updates <n>', 'gradient steps after each step of the environments (1)', number)
    .option('--batch <n>', 'transitions of a gradient step (256)', number)
    .option('--replay <n>', 'transitions that are kept (1000000)', number)
    .option('--discount <gamma>', '(0.99)', number)
    .option('--learning-rate <rate>', 'of Adam (0.0003)', number)
    .option('--hidden <widths>', 'hidden layers of all networks, as 256,256', list)
    .option('--activation <kind>', `of the hidden layers: ${activations.join(', ')} (relu)`)

const sac = (command: Command) =>
  offPolicy(command)
    .option('--target-entropy <nats>', 'that a temperature of auto keeps (minus the dimensions of an action)', number)
    .option('--polyak <tau>', 'how fast the target networks follow (0.005)', number)

const sql = (command: Command) =>
  schedule(offPolicy(command))
    .option('--reward-scale <factor>', 'of the rewards that Q learns (1)', number)
    .option('--particles <n>', 'actions of a state in a step of the sampler (32)', number)
    .option('--fixed-share <share>', 'of them that drive the others (0.5)', number)
    .option('--bandwidth <rule>', 'a named rule or a fixed h (sql-code)', number)
    .option('--value-particles <n>', 'actions that the soft value is estimated from (16)', number)
    .option('--proposal-from <n>', 'gradient step from which those are drawn from the policy (never)', number)
    .option('--qs <n>', 'Q networks, 1 or 2 (1)', number)
    .option('--polyak <tau>', 'how far the target networks follow (1)', number)
    .option('--target-every <n>', 'gradient steps between two times they do (1000)', number)
    .option('--sampler-learning-rate <rate>', "of the sampler's Adam (as the other)", number)
    .option('--latents <n>', 'random numbers of an action (as many as it has)', number)
    .option('--latent-set <n>', 'different draws of these at first, one at the end (unlimited)', number)
    .option('--candidates <n>', 'actions that the greedy one is the best of (32)', number)

const sqlCompose = (command: Command) =>
  sql(command)
    .option('--components <json>', 'constants of the tasks that are learned, as [{"goal1X":0},{"goal1Y":0}]', json)
    .option('--component-iterations <n>', 'iterations in which they are (20)', number)

const adr = (command: Command) =>
  gradient(policy(command), 'ppo')
    .requiredOption('--ranges <list>', 'constants to vary, as mass=0.5:2,length=0.5:1.5', ranges)
    .option('--randomisation <kind>', `${randomisations.join(', ')} (adr)`)
    .option('--particles <n>', 'policies over the ranges (10)', number)
    .option('--moves <n>', 'of each in an iteration; the agent rolls out after each (2)', number)
    .option('--max-move <share>', 'of a range (0.05)', number)
    .option('--horizon <n>', 'moves after which a point is drawn anew (25)', number)
    .option('--temperature <alpha>', 'divides the policy gradient of the particles (10)', number)
    .option('--repulsion <weight>', 'multiplies their repulsion (1)', number)
    .option('--bandwidth <rule>', 'a named rule or a fixed h (dartml)', number)
    .option('--particle-hidden <widths>', 'hidden layers of the particles, as 100,100', list)
    .option('--particle-learning-rate <rate>', 'of their Adam (0.003)', number)
    .option('--particle-critic-learning-rate <rate>', 'of that of their critics (0.003)', number)
    .option('--particle-discount <gamma>', 'of their returns (0.9)', number)
    .option('--transition-hidden <widths>', 'hidden layers of the discriminator of transitions, as 128,128', list)
    .option('--transition-learning-rate <rate>', 'of its Adam (0.003)', number)
    .option('--transition-steps <n>', 'of it in an iteration (5)', number)
    .option('--transition-batch <rows>', 'of each kind in a step (320)', number)
    .option('--transition-memory <n>', 'iterations that it learns from (20)', number)
    .option('--references <n>', 'rollouts in the reference environment for it (1)', number)
    .option('--learning-rate <rate>', 'of the Adam of the agent (0.001)', number)
    .option('--environments <n>', 'parallel environments at each point (1)', number)
    .option('--steps <n>', 'steps of each environment in one iteration (200)', number)
    .option('--reward-scale <factor>', 'of rewards on their way to critic and advantages (1)', number)
    .option('--workers <n>', 'evaluate points on so many workers, or auto; the same bytes (auto)', number, 'auto')

const s2ac = (command: Command) =>
  schedule(offPolicy(command))
    .option('--reward-scale <factor>', 'of the rewards that Q learns (1)', number)
    .option('--particles <n>', 'actions of a state (10)', number)
    .option('--svgd-steps <n>', 'that they take from where they start (5)', number)
    .option('--step-size <epsilon>', 'of these at most (0.1)', number)
    .option('--stretch <share>', 'by which a step may stretch the space of actions at most (1)', number)
    .option('--bandwidth <rule>', 'a named rule or a fixed h (s2ac)', number)
    .option('--origin <kind>', 'learned or fixed: where the particles start (learned)')
    .option('--selection <kind>', `${selections.join(', ')}: how an action is chosen of them (random)`)
    .option('--polyak <tau>', 'how fast the target networks follow (0.005)', number)

export const algorithmSettings: Readonly<Record<AlgorithmName, AlgorithmSettings>> = {
  svpg: { about: 'Stein variational policy gradient: policies that learn and stay apart.', add: svpg },
  sac: { about: 'Soft actor-critic: one Gaussian policy and two Q networks, off policy.', add: sac },
  sql: { about: 'Soft Q-learning: a sampler of actions that keeps all good ones, off policy.', add: sql },
  s2ac: {
    about: 'Stein soft actor-critic: actions are particles of SVGD with a known density, off policy.',
    add: s2ac,
  },
  'sql-compose': {
    about: 'Learns several tasks and, without another step, the policy that is good at all of them.',
    add: sqlCompose,
  },
  adr: {
    about: 'Active domain randomisation: an agent learns where particles find environments that differ.',
    add: adr,
  },
}
