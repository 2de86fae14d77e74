// A task of one's own in TypeScript; examples/own-environment.ts checks it, trains on it and draws it.
import { box, discrete, type EnvironmentSpec, generator, uniform } from 'steinrl'
import { circle, line, rectangle, text } from 'steinrl/render'

/** Width of the river and half the length of the bank, m. */
const WIDTH = 10
const BANK = 10
/** m a step, ahead and to the side that is steered to. */
const SPEED = 0.5
/** The current is drawn anew for every episode: m a step in the middle of the river, ± this. */
const CURRENT = 0.6
/** Half the length of the landing, m. */
const LANDING = 1

/**
 * A ferry crosses a river whose current differs from day to day and is strongest in the middle (a parabola, as in a
 * channel): to land, it has to head upstream early enough.
 *
 *     sees: x along the bank and y across the river (m), the drift of its last step (m)
 *     does: 0 heads left, 1 straight ahead, 2 right
 *     gets: at the far bank 1 at the middle of the landing down to 0 at its ends, beyond it minus a tenth of
 *           the distance
 */
const ferry: EnvironmentSpec = {
  id: 'Ferry',
  observationSpace: box([-2 * BANK, 0, -CURRENT], [2 * BANK, WIDTH, CURRENT]),
  actionSpace: discrete(3),
  maxEpisodeSteps: 30,
  rewardThreshold: 0.5,
  // Worker threads load the task from here.
  module: import.meta.url,
  create() {
    let x = 0
    let y = 0
    let current = 0
    let drift = 0
    return {
      reset({ seed }) {
        // Everything random follows from the seed.
        const random = generator(seed)
        x = 4 * uniform(random) - 2
        y = 0
        current = CURRENT * (2 * uniform(random) - 1)
        drift = 0
        return { obs: [x, y, drift], info: { current } }
      },
      step(action) {
        drift = (current * 4 * y * (WIDTH - y)) / (WIDTH * WIDTH)
        x = Math.max(-2 * BANK, Math.min(2 * BANK, x + SPEED * (Number(action) - 1) + drift))
        y = Math.min(WIDTH, y + SPEED)
        const terminated = y === WIDTH
        const distance = Math.abs(x)
        const landed = distance < LANDING ? 1 - distance / LANDING : -distance / 10
        return { obs: [x, y, drift], reward: terminated ? landed : 0, terminated, truncated: false, info: {} }
      },
      get state() {
        return [x, y, current]
      },
      getState: () => [x, y, current, drift],
      setState(state) {
        ;[x, y, current, drift] = state as number[]
      },
    }
  },
  render: ({ 0: x, 1: y, 2: current }) => ({
    view: [-BANK, -2, 2 * BANK, WIDTH + 4],
    shapes: [
      rectangle('#dbeafe', [-BANK, 0], [BANK, WIDTH]),
      rectangle('#d9f99d', [-BANK, -2], [BANK, 0]),
      rectangle('#d9f99d', [-BANK, WIDTH], [BANK, WIDTH + 2]),
      line('#16a34a', 0.3, [-LANDING, WIDTH], [LANDING, WIDTH]),
      ...[1, 3, 5, 7, 9].map((across) => {
        const flow = (current * 16 * across * (WIDTH - across)) / (WIDTH * WIDTH)
        return line('#93c5fd', 0.12, [-8, across], [-8 + flow, across])
      }),
      circle('#1e293b', [x, y], 0.4),
      text('#1e293b', [0, WIDTH + 0.7], 0.8, 'landing'),
    ],
  }),
}

export default ferry
