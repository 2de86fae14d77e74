import { configured, type MakeOptions } from './configured.ts'
import type { EnvironmentSpec } from './contract.ts'
import { isPythonId, python } from './python.ts'
import { environmentSpec, environments } from './registry.ts'

/**
 * A task by its id, or one of one's own, with other constants and another limit: a built-in one, one of MuJoCo's such
 * as HalfCheetah-v5, one of Box2D's such as LunarLander-v3, or one in Python such as python:CartPole-v1. What these
 * need is loaded when they are named.
 *
 * @param options with `processes`, the most that a task in Python runs in
 * @throws UsageError for an id that nobody knows, what configured() refuses, and for what mujoco(), box2d() and
 *   python() need
 */
export async function taskNamed(
  env: string | EnvironmentSpec,
  { core, processes, constants, maxEpisodeSteps }: MakeOptions & { readonly processes?: number } = {},
): Promise<EnvironmentSpec> {
  if (typeof env !== 'string' || Object.hasOwn(environments, env))
    return configured(env, { constants, maxEpisodeSteps })
  if (isPythonId(env)) return python(env, { constants, maxEpisodeSteps, processes })
  const [{ isBox2dId, box2d, box2dIds }, { isMujocoId, mujoco, mujocoIds }] = await Promise.all([
    import('./box2d.ts'),
    import('./mujoco.ts'),
  ])
  if (isBox2dId(env)) return configured(await box2d(env, { ...constants, core }), { maxEpisodeSteps })
  if (!isMujocoId(env)) return environmentSpec(env, [...mujocoIds, ...box2dIds])
  const robot = await mujoco(env, { ...constants, core } as Parameters<typeof mujoco>[1])
  return configured(robot, { maxEpisodeSteps })
}
