import { type TaskDescription, taskFrom } from '../../envs/description.ts'
import type { Task } from '../../rl/rollout.ts'
import type { PolicyGradientSetup } from '../policy-gradient/evaluation-state.ts'

/** A task as it is posted: its description, and what its wrappers have learned. */
export interface PostedTask {
  readonly task: TaskDescription
  readonly states: readonly (object | null)[]
}

/** In a worker: the setup with the task made again. */
export async function withTask<Setup extends PolicyGradientSetup>(
  posted: Omit<Setup, 'task'> & { readonly task: Omit<Task, 'spec'> & { readonly spec: PostedTask } },
): Promise<Setup> {
  const { task, states } = posted.task.spec
  const spec = await taskFrom(task, { states, core: posted.core, processes: 1 })
  return { ...posted, task: { ...posted.task, spec } } as unknown as Setup
}
