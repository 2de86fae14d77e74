// The exports of steinrl-policy.wasm: what acting needs, for src/policy.
export { boundRows } from './nn/bounds'
export { actTogether } from './nn/ensemble'
export { act } from './nn/policy'
