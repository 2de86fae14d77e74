import { createArena, u32 } from '../src/core/arena.ts'
import { compileCore } from '../src/core/module.ts'
import { environments } from '../src/envs/registry.ts'
import { vectorFields, writeVector } from '../src/envs/vector-fields.ts'
const N = 1024
for (const spec of Object.values(environments)) {
  const { ops, at, view } = await createArena(await compileCore(), {...vectorFields(spec, N), out: u32(8)})
  writeVector({ at, view }, spec, { rows: N, autoreset: 'next-step', seed: { lo: 1, hi: 0 } })
  const time = (f: () => void, n: number) => {
    let best = 1e9
    for (let rep = 0; rep < 300; rep++) { const t0 = performance.now(); for (let k = 0; k < 5; k++) f(); best = Math.min(best, performance.now() - t0) }
    return (best / 5 / n * 1e6).toFixed(2)
  }
  console.log(spec.id, 'resetVector ns/row', time(() => ops.resetVector(at.vector, 0), N), 'physics reset', time(() => { for (let i = 0; i < N; i++) ops.resetEnvironment(spec.core!.kind, at.state + i * 8 * spec.core!.stateSize, at.constants, i, 0) }, N),
   'philox', time(() => { for (let i = 0; i < N; i++) ops.philox(at.out, i, 0,0,0,0,0) }, N))
}
