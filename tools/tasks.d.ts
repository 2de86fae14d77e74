import type { EnvironmentSpec } from '../src/envs/contract.ts'
import type { Space } from '../src/envs/spaces.ts'

export function spaceText(space: Space): string
export function withTasks(text: string, specs: readonly EnvironmentSpec[], isRobot: (id: string) => boolean): string
