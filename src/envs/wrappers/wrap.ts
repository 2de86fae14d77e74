import { compileCore } from '../../core/module.ts'
import { requireFunction } from '../../core/require.ts'
import type { EnvironmentSpec } from '../contract.ts'
import { inTypeScript } from '../instances.ts'
import { taskNamed } from '../named.ts'
import type { Wrapper } from './wrapper.ts'

/**
 * A task, by its id or of one's own, with wrappers around it, the first one innermost:
 *
 *     const task = await wrap('Pendulum-v1', repeatAction(2), rescaleAction())
 *
 * Physics in the core is stepped from TypeScript then, row by row. For a core of one's own there is inTypeScript().
 */
export async function wrap(env: string | EnvironmentSpec, ...wrappers: readonly Wrapper[]): Promise<EnvironmentSpec> {
  for (const each of wrappers) requireFunction('A wrapper', each, 'as repeatAction(2) gives')
  const spec = await taskNamed(env)
  const task = spec.core ? inTypeScript(spec, await compileCore()) : spec
  return wrappers.reduce((inner, wrapper) => wrapper(inner), task)
}
