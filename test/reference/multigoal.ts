// Tests call this millions of times, and Jest looks globals up slowly.
const { hypot, max, min } = Math

export interface MultiGoalTwin {
  positionLimit: number
  velocityLimit: number
  actionCost: number
  distanceCost: number
  goalThreshold: number
  goalReward: number
}

const clip = (x: number, limit: number) => max(-limit, min(limit, x))

/** One step of the multi-goal tasks. The costs are those of the clipped action and of the position it leads to. */
export function stepMultiGoalReference(
  position: readonly number[],
  action: readonly number[],
  goals: readonly (readonly [number, number])[],
  constants: MultiGoalTwin,
) {
  const { positionLimit, velocityLimit, actionCost, distanceCost, goalThreshold, goalReward } = constants
  const velocity = action.map((a) => clip(a, velocityLimit))
  const [x, y] = position.map((p, k) => clip(p + velocity[k], positionLimit))
  const distances = goals.map(([goalX, goalY]) => hypot(x - goalX, y - goalY))
  const nearest = min(...distances)
  const terminated = nearest < goalThreshold
  const cost = actionCost * (velocity[0] ** 2 + velocity[1] ** 2) + distanceCost * nearest ** 2
  return { position: [x, y], reward: terminated ? goalReward - cost : -cost, terminated }
}
