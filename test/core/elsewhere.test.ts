import { expect, test } from '@jest/globals'
import { fitPosterior, logp, model, real } from '../../src/bayes.ts'
import { meantBy } from '../../src/core/elsewhere.ts'
import { flagOf } from '../../src/core/settings.ts'
import { make } from '../../src/envs/make.ts'
import { svgd } from '../../src/svgd/svgd.ts'
import { runConfig, type TrainOptions, train } from '../../src/train/train.ts'

test.each([
  ['total_timesteps', 'how long it trains is iterations here, each of environments × steps transitions for every'],
  ['n_envs', 'it is called environments here.'],
  ['num_iterations', 'it is called iterations here.'],
  ['ent_coef', 'it is called entropyBonus here.'],
  ['algo', "train() takes it, algorithm: 'ppo'."],
  ['batch_size', 'a rollout is parted into minibatches here.'],
  ['n_steps', 'steps of each environment in an iteration are called steps here, and nSteps is after how many'],
])("train() tells another library's %s what it is here", (name, hint) => {
  expect(() => runConfig({ env: 'CartPole-v1', [name]: 3 })).toThrow(hint)
})

test.each([
  ['dlnprob', 'it is called score here.'],
  ['log_prob', 'a log density is populationScore: logDensity((x) => …) here.'],
  ['logp', 'a log density is populationScore: logDensity((x) => …) here.'],
  ['callback', 'it is called onStep here.'],
  ['steps', 'it is called iterations here.'],
])("svgd() tells another library's %s what it is here", async (name, hint) => {
  await expect(svgd({ [name]: 3 } as never)).rejects.toThrow(hint)
})

test.each([
  ['num_samples', 'it is called particles here.'],
  ['num_warmup', 'there are no chains and no warm-up here, and draws are particles.'],
  ['chains', 'there are no chains and no warm-up here, and draws are particles.'],
])("fitPosterior() tells a sampler's %s what it is here", async (name, hint) => {
  const normal = model({ parameters: { x: real() }, logDensity: ({ x }) => logp.normal(x, 0, 1) })
  await expect(fitPosterior(normal, { [name]: 3 })).rejects.toThrow(hint)
  expect(meantBy(name.replace('_', '-'), ['particles', 'data'], { as: flagOf, places: {} })).toContain('--particles')
})

test.each([
  ['signal', 'leave the loop, by break, to end it.'],
  ['callback', 'what it would do stands in the loop, for await (const step of …).'],
])('train() tells where %s is', async (name, hint) => {
  const steps = train({ env: 'CartPole-v1', [name]: () => {} } as TrainOptions)
  await expect(steps.next()).rejects.toThrow(`svpg has no option "${name}": ${hint}`)
})

test.each([
  ['Pendulum-v1', 'g', 'gravity'],
  ['CartPole-v1', 'sutton_barto_reward', 'suttonBartoReward'],
  ['CartPole-v1', 'masscart', 'cartMass'],
  ['MountainCar-v0', 'goal_velocity', 'goalVelocity'],
])('%s tells which constant is meant by %s', async (id, name, meant) => {
  await expect(make(id, { constants: { [name]: 1 } })).rejects.toThrow(
    new RegExp(`has no constant "${name}"; it has .*, and the nearest is ${meant}\\.$`),
  )
})

test('a name is given as it is written where it is asked for', () => {
  const written = { as: flagOf, places: { env: 'it is an argument' } }
  const known = ['learningRate', 'seed']
  expect(meantBy('lr', known, written)).toBe(': it is called --learning-rate here.')
  expect(meantBy('random-seed', known, written)).toBe(': it is called --seed here.')
  expect(meantBy('env', known, written)).toBe(': it is an argument.')
  expect(meantBy('colour', known, written)).toBe('; there are --learning-rate, --seed.')
})

test.each(['constructor', 'toString', '__proto__', 'value_of'])(
  'an option by the name %s is refused as any other',
  (name) => {
    for (const known of [
      ['learningRate', 'seed'],
      ['iterations', 'environments', 'steps'],
    ])
      expect(meantBy(name, known)).toMatch(/^; /)
  },
)
