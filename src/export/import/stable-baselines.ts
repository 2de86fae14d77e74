import { isExpected, show, UsageError } from '../../core/errors.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import { namesOf, requireOptions } from '../../core/options.ts'
import { isBytes, isRecord } from '../../core/require.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { taskNamed } from '../../envs/named.ts'
import type { Activation } from '../../nn/network.ts'
import { type HeadName, type Policy, policyOf } from '../../nn/policy.ts'
import { viewOf } from '../../policy/core.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { refuseOtherPolicy } from '../../rl/heads.ts'
import { type NamedTensor, readStateDict } from './torch-file.ts'
import { readZip } from './zip.ts'

/** A policy of stable-baselines3, and its task. */
export interface StableBaselinesOptions {
  /** What `model.save()` has written. */
  readonly zip: ArrayBuffer | ArrayBufferView
  /** The task that it acts in: an id, or one of your own. */
  readonly env: string | EnvironmentSpec
  /** The WASM core; default: this package's steinrl.wasm. */
  readonly core?: CoreSource
}

const OPTIONS = namesOf<StableBaselinesOptions>({ zip: true, env: true, core: true })

/** More than any policy of dense layers has. */
const MOST_BYTES = 1_000_000_000

/**
 * The MlpPolicy of PPO, A2C or SAC of stable-baselines3 as agents, for evaluate() and, by encodePolicy(), for
 * steinrl/policy. They act as `model.predict(observation, deterministic=True)` does, but for rounding.
 *
 *     const agents = await importStableBaselines({ zip: readFileSync('model.zip'), env: 'CartPole-v1' })
 *     const { greedy } = await evaluate({ agents, episodes: 100 })
 *
 * Nothing of the file is run: its tensors are read as data, and a file that asks for more is refused. What VecNormalize
 * has learned stands in another file, and is not read.
 *
 * @throws UsageError for what is no such file, for other architectures, state-dependent exploration among them, and for
 *   a task that the policy does not fit
 */
export async function importStableBaselines(options: StableBaselinesOptions): Promise<PolicyAgents> {
  requireOptions('importStableBaselines', options, OPTIONS)
  const { zip, env, core } = options
  if (!isBytes(zip)) throw new UsageError(`zip must be the bytes that model.save() has written, got ${show(zip)}.`)
  if (zip.byteLength > MOST_BYTES)
    throw new UsageError(`zip must have at most ${MOST_BYTES} bytes, got ${zip.byteLength}.`)
  const spec = await taskNamed(env)
  let read: Read
  try {
    read = readModel(viewOf(zip))
  } catch (error) {
    if (!isExpected(error)) throw error
    throw new UsageError(`No policy of stable-baselines3 can be read of the zip: ${error.message}`)
  }
  refuseOtherPolicy(spec, 'The policy', read.policy)
  return policyAgents(await compileCore(core), spec, { ...read, particles: 1 }, 0)
}

interface Read {
  readonly policy: Policy
  /** [parameters] */
  readonly theta: Float32Array
}

type Tensors = ReadonlyMap<string, NamedTensor>

/** Where the layers of an algorithm stand, and what its activation is where none is said. */
interface Form {
  readonly hidden: string
  readonly outputs: readonly string[]
  readonly activation: Activation
}

const ON_POLICY: Form = { hidden: 'mlp_extractor.policy_net', outputs: ['action_net'], activation: 'tanh' }
const SAC: Form = { hidden: 'actor.latent_pi', outputs: ['actor.mu', 'actor.log_std'], activation: 'relu' }

function readModel(bytes: Uint8Array): Read {
  const members = readZip(bytes)
  const weights = members.get('policy.pth')
  const data = members.get('data')
  if (!weights || !data) throw new UsageError('it has no policy.pth and data, which model.save() writes.')
  const tensors = readStateDict(weights)
  const form = tensors.has('actor.mu.weight') ? SAC : ON_POLICY
  if (!tensors.has(`${form.outputs[0]}.weight`)) throw new UsageError('its policy is no MlpPolicy of PPO, A2C or SAC.')
  const settings = parsed(data)
  if (settings.use_sde === true) throw new UsageError('its exploration depends on the state (use_sde).')
  return assemble(tensors, form, activationOf(settings, form), isDiscrete(settings))
}

function parsed(data: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder().decode(data))
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw new UsageError('its data is no JSON object.')
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  ...{ ReLU: 'relu', Tanh: 'tanh', ELU: 'elu', Softplus: 'softplus' },
}

function activationOf({ policy_kwargs }: Readonly<Record<string, unknown>>, { activation }: Form): Activation {
  const name = isRecord(policy_kwargs) ? policy_kwargs.activation_fn : undefined
  if (name === undefined) return activation
  const [, word = ''] = /^<class 'torch\.nn\.modules\.activation\.(\w+)'>$/.exec(String(name)) ?? []
  if (Object.hasOwn(ACTIVATIONS, word)) return ACTIVATIONS[word]
  throw new UsageError(`its activation is ${show(name)}, and may be ${Object.keys(ACTIVATIONS).join(', ')}.`)
}

/** The class of a space stands there as text. */
function isDiscrete({ action_space }: Readonly<Record<string, unknown>>): boolean {
  const [, kind] =
    /'gymnasium\.spaces\.\w+\.(\w+)'/.exec(String(isRecord(action_space) && action_space[':type:'])) ?? []
  if (kind === 'Discrete' || kind === 'Box') return kind === 'Discrete'
  throw new UsageError(`its actions are of the space ${show(kind ?? action_space)}, and may be Discrete or Box.`)
}

/** y = W x + b, W [outputs, inputs]. */
interface Dense {
  readonly weight: NamedTensor
  readonly bias: NamedTensor
}

function assemble(tensors: Tensors, form: Form, activation: Activation, classes: boolean): Read {
  const hidden: Dense[] = []
  // Between two layers stands an activation, which has a number too.
  for (let k = 0; tensors.has(`${form.hidden}.${k}.weight`); k += 2)
    hidden.push(denseAt(tensors, `${form.hidden}.${k}`))
  if ([...tensors.keys()].filter((name) => name.startsWith(`${form.hidden}.`)).length !== 2 * hidden.length)
    throw new UsageError(`its ${form.hidden} has other layers than dense ones.`)
  const outputs = form.outputs.map((name) => denseAt(tensors, name))
  const layers = [...hidden, ...outputs.slice(0, 1)]
  for (let k = 1; k < layers.length; k++)
    if (layers[k].weight.shape[1] !== layers[k - 1].bias.data.length) throw new UsageError('its layers do not fit.')
  const [A] = outputs[0].weight.shape
  const name: HeadName = form === SAC ? 'squashed-gaussian' : classes ? 'categorical' : 'gaussian'
  const policy = policyOf({
    ...{ activation, head: { name, actions: A }, observations: layers[0].weight.shape[1] },
    hidden: hidden.map(({ bias }) => bias.data.length),
  })
  const theta = new Float32Array(policy.size)
  policy.net.layers.forEach((layer, l) => {
    const from = l < hidden.length ? [hidden[l]] : outputs
    from.forEach(({ weight, bias }, part) => {
      const [rows, inputs] = weight.shape
      if (inputs !== layer.inputs || rows * from.length !== layer.outputs)
        throw new UsageError('its layers do not fit.')
      for (let o = 0; o < rows; o++) {
        for (let i = 0; i < inputs; i++)
          theta[layer.weight + i * layer.outputs + part * rows + o] = weight.data[o * inputs + i]
        theta[layer.bias + part * rows + o] = bias.data[o]
      }
    })
  })
  if (name === 'gaussian') theta.set(logStdOf(tensors, A), policy.net.size)
  return { policy, theta: finiteOnes(theta) }
}

function denseAt(tensors: Tensors, name: string): Dense {
  const [weight, bias] = ['weight', 'bias'].map((part) => tensors.get(`${name}.${part}`))
  if (weight?.shape.length === 2 && bias?.shape.length === 1 && bias.shape[0] === weight.shape[0])
    return { weight, bias }
  throw new UsageError(`its ${name} is no dense layer.`)
}

function logStdOf(tensors: Tensors, A: number): Float32Array {
  const found = tensors.get('log_std')
  if (found?.shape.length === 1 && found.shape[0] === A) return found.data
  throw new UsageError(`its log_std is not one number for each of ${A} actions.`)
}

function finiteOnes(theta: Float32Array): Float32Array {
  const bad = theta.find((value) => !Number.isFinite(value))
  if (bad === undefined) return theta
  throw new UsageError(`it has a parameter that is ${bad}.`)
}
