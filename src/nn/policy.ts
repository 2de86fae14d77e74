import * as v from 'valibot'
import { isExpected, show, UsageError } from '../core/errors.ts'
import { f32, i32, padded, struct } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import { check, oneOf, wholeNumber } from '../core/schemas.ts'
import { type Activation, ActivationKind, activations, mlp, type Network } from './network.ts'

/** Kinds of heads, as in assembly/nn/policy.ts. */
export const HeadKind = { categorical: 0, gaussian: 1, 'squashed-gaussian': 2 } as const

/** The distributions of actions by name. */
export type HeadName = keyof typeof HeadKind

export const headNames = Object.keys(HeadKind) as HeadName[]

/**
 * The distribution of actions that a policy's network describes:
 *
 * 'categorical': softmax of one logit a class, or a product of several of them, π(a|s) = Π_k softmax(logits_k)_{a_k};
 * 'gaussian': N(μ(s), σ²) with a free log σ for each dimension, which are parameters behind those of the network;
 * 'squashed-gaussian': tanh of N(μ(s), σ(s)²), the network gives μ and then log σ, kept in [−20, 2].
 */
export interface Head {
  readonly name: HeadName
  /** Classes, of all factors together, or dimensions of an action. */
  readonly actions: number
  /** [K] classes of each factor of a product of categoricals, whose actions are lists of K classes. */
  readonly factors?: readonly number[]
}

/** What fixes the layout of a policy: its observations, its hidden layers and its head. */
export interface PolicyShape {
  /** Numbers of an observation. */
  readonly observations: number
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[]
  /** Of the hidden layers. */
  readonly activation: Activation
  readonly head: Head
}

/** A policy π(a|s): a network and its head. A row of theta is the network's parameters, then the head's. */
export interface Policy extends PolicyShape {
  readonly net: Network
  /** Number of parameters of both. */
  readonly size: number
}

/**
 * The layout of a policy.
 *
 * @param shape its activation is tanh by default
 * @throws UsageError for an unknown head or activation, a width that is no whole number of at least 1, and factors that
 *   are not the classes of a categorical head
 */
export function policyOf(shape: Omit<PolicyShape, 'activation'> & Partial<PolicyShape>): Policy {
  const { observations, hidden, activation = 'tanh', head } = shape
  check(oneOf('The head', headNames), head.name)
  check(wholeNumber('The number of actions', 1), head.actions)
  checkFactors(head)
  const outputs = head.name === 'squashed-gaussian' ? 2 * head.actions : head.actions
  const net = mlp([observations, ...hidden, outputs], { hidden: activation })
  return { observations, hidden, activation, head, net, size: net.size + freeParameters(head) }
}

function checkFactors({ name, actions, factors }: Head): void {
  if (factors === undefined) return
  if (name !== 'categorical') throw new UsageError(`A ${name} head has no factors, got ${show(factors)}.`)
  const areClasses = Array.isArray(factors) && factors.every((n) => Number.isSafeInteger(n) && n > 0)
  if (!areClasses || factors.reduce((sum, n) => sum + n, 0) !== actions)
    throw new UsageError(`The factors of a head must be whole numbers that add up to ${actions}, got ${show(factors)}.`)
}

/** Of a policy that is read from a file. */
const MAX_LAYERS = 1000
const MAX_FACTORS = 100_000

const shapeSchema = v.object({
  observations: v.number(),
  hidden: v.pipe(v.array(v.number()), v.maxLength(MAX_LAYERS, `It has more than ${MAX_LAYERS} hidden layers`)),
  activation: v.picklist(activations),
  head: v.object({
    name: v.picklist(headNames),
    actions: v.number(),
    factors: v.optional(
      v.pipe(v.array(v.number()), v.maxLength(MAX_FACTORS, `It has more than ${MAX_FACTORS} factors`)),
    ),
  }),
})

/** The policy that a value read from a file describes. Throws a UsageError where it describes none. */
export function parsePolicy(shape: unknown): Policy {
  try {
    return policyOf(v.parse(shapeSchema, shape))
  } catch (error) {
    const { message } = error as Error
    throw new UsageError(`it describes no policy: ${isExpected(error) ? message : `${message}.`}`)
  }
}

/** Numbers of an action: a class is one. */
export const actionWidth = (head: Head) => (head.name === 'categorical' ? factorsOf(head).length : head.actions)

/** [K] classes of each factor of a categorical head: of one that is no product, all. */
export const factorsOf = ({ actions, factors = [actions] }: Head): readonly number[] => factors

const freeParameters = ({ name, actions }: Head) => (name === 'gaussian' ? actions : 0)

/** As the class Policy in assembly/nn/policy.ts. */
export const policyStruct = struct([
  'theta',
  'stride',
  'size',
  'head',
  'actions',
  'factors',
  'factorCount',
  'widths',
  'kinds',
  'layers',
  'widest',
  'scratch',
  'latent',
])

/** What the core needs to run a population of policies on up to `rows` observations at once. */
export function policyFields({ net, head }: Policy, rows: number) {
  return {
    policy: policyStruct.field,
    widths: i32(net.widths.length),
    kinds: i32(net.layers.length),
    /** [2, rows, widest] activations. */
    activations: f32(2, rows, widest(net)),
    /** [K] classes of the factors of a categorical head. */
    factors: i32(factorsOf(head).length),
    /** [A] an action before it was squashed. */
    latent: f32(padded(head.actions)),
  }
}

const widest = (net: Network) => Math.max(...net.widths.slice(1).map(padded))

type PolicyFields = ReturnType<typeof policyFields>

/** Fills the record that ops read the population from. `stride` is the length of a row of theta. */
export function writePolicy(
  arena: {
    at: { readonly theta: Pointer } & { readonly [K in keyof PolicyFields]: Pointer }
    view: { policy: Uint32Array; widths: Int32Array; kinds: Int32Array; factors: Int32Array }
  },
  { net, head }: Policy,
  stride: number,
): void {
  const { at, view } = arena
  view.widths.set(net.widths)
  view.kinds.set(net.layers.map(({ activation }) => ActivationKind[activation]))
  view.factors.set(factorsOf(head))
  policyStruct.write(view.policy, {
    ...at,
    stride,
    size: net.size,
    head: HeadKind[head.name],
    actions: head.actions,
    factorCount: factorsOf(head).length,
    layers: net.layers.length,
    widest: widest(net),
    scratch: at.activations,
  })
}
