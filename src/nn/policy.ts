import { f32, i32, padded, struct } from '../core/arena.ts'
import type { Pointer } from '../core/ops.ts'
import type { Network } from './network.ts'

/** As the class Policy in assembly/nn/policy.ts. */
export const policyStruct = struct(['theta', 'stride', 'widths', 'layers', 'widest', 'scratch'])

/** What the core needs to run a population of policies on up to `rows` observations at once. */
export function policyFields(net: Network, rows: number) {
  return {
    policy: policyStruct.field,
    widths: i32(net.widths.length),
    /** [2, rows, widest] activations. */
    activations: f32(2, rows, widest(net)),
  }
}

const widest = (net: Network) => Math.max(...net.widths.slice(1).map(padded))

/** Fills the record that ops read the population from. `stride` is the length of a row of theta. */
export function writePolicy(
  arena: {
    at: { theta: Pointer; widths: Pointer; activations: Pointer }
    view: { policy: Uint32Array; widths: Int32Array }
  },
  net: Network,
  stride: number,
): void {
  arena.view.widths.set(net.widths)
  policyStruct.write(arena.view.policy, {
    theta: arena.at.theta,
    stride,
    widths: arena.at.widths,
    layers: net.layers.length,
    widest: widest(net),
    scratch: arena.at.activations,
  })
}
