import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import {
  type Canvas,
  circle,
  drawCanvas,
  drawSvg,
  line,
  polygon,
  rectangle,
  type Scene,
  type Shape,
  text,
} from '../../src/envs/render.ts'
import {
  acrobotScene,
  doublePendulumScene,
  goalsScene,
  mazeScene,
  mountainCarScene,
  pendulumScene,
  rllabCartpoleScene,
} from '../../src/envs/scenes.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'

const scene: Scene = {
  view: [-1, -1, 4, 2],
  shapes: [
    line('red', 0.1, [-1, -1], [3, 1]),
    polygon('green', [0, 0], [1, 0], [0, 1]),
    circle('blue', [1, 0.5], 0.25),
    text('a"b', [0, 0], 0.2, '<x> & y', 'start'),
  ],
}

test('drawSvg: pixels with y downwards, and text that cannot break the document', () => {
  expect(drawSvg(scene, { width: 400 }).split('\n')).toEqual([
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200" viewBox="0 0 400 200">',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    '<polyline points="0,200 400,0" fill="none" stroke="red" stroke-width="10" stroke-linecap="round" stroke-linejoin="round"/>',
    '<polygon points="100,100 200,100 100,0" fill="green"/>',
    '<circle cx="200" cy="50" r="25" fill="blue"/>',
    '<text x="100" y="100" font-size="20" font-family="system-ui, sans-serif" text-anchor="start" fill="a&quot;b">&lt;x&gt; &amp; y</text>',
    '</svg>',
  ])
})

test('drawCanvas: the same, as large as fits and in the middle', () => {
  const calls: unknown[][] = []
  const record =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args])
  const names = ['arc', 'beginPath', 'clearRect', 'closePath', 'fill', 'fillText', 'lineTo', 'moveTo', 'stroke']
  const context = Object.fromEntries(names.map((name) => [name, record(name)])) as unknown as Canvas
  drawCanvas(Object.assign(context, { canvas: { width: 400, height: 300 } }), scene)
  expect(calls).toEqual([
    ['clearRect', 0, 0, 400, 300],
    ['beginPath'], ['moveTo', 0, 250], ['lineTo', 400, 50], ['stroke'],
    ['beginPath'], ['moveTo', 100, 150], ['lineTo', 200, 150], ['lineTo', 100, 50], ['closePath'], ['fill'],
    ['beginPath'], ['arc', 200, 100, 25, 0, 2 * Math.PI], ['fill'],
    ['beginPath'], ['fillText', '<x> & y', 100, 150],
  ]) // biome-ignore format: one shape, one line
  expect(context).toMatchObject({
    lineWidth: 10,
    strokeStyle: 'red',
    textAlign: 'start',
    font: '20px system-ui, sans-serif',
  })
})

/** The ends of the lines of a colour, and the centres of its circles. */
const ends = ({ shapes }: Scene, colour: string) =>
  shapes.flatMap((shape: Shape) => {
    if (shape.kind === 'line' && shape.stroke === colour) return [shape.points.at(-1)]
    return shape.kind === 'circle' && shape.fill === colour ? [shape.at] : []
  }) as [number, number][]

const limb = '#e08a3c'
const agent = '#2563eb'
const near = ([point]: [number, number][], x: number, y: number) => {
  expect(point[0]).toBeCloseTo(x, 10)
  expect(point[1]).toBeCloseTo(y, 10)
}
const right = Math.PI / 2

describe('where the tip is', () => {
  test('CartPole-v1: to the right at a positive angle, and longer with halfLength', async () => {
    const env = await make('CartPole-v1', { constants: { halfLength: 0.7 } })
    env.reset()
    env.state.set([1, 0, 0.2, 0])
    near(ends(env.render(), limb), 1 + 1.4 * Math.sin(0.2), 1.4 * Math.cos(0.2))
    const wrapped = await make(await wrap('CartPole-v1'))
    wrapped.reset()
    expect(wrapped.render().shapes.length).toBe(env.render().shapes.length)
  })

  test('pendulum: upright at 0, counter-clockwise', () => {
    near(ends(pendulumScene([0, 0], { length: 2 }), limb), 0, 2)
    near(ends(pendulumScene([right, 0], { length: 2 }), limb), -2, 0)
  })

  test('acrobot: hanging at 0, counter-clockwise, the second angle relative', () => {
    const constants = { length: 1, goalHeight: 1 }
    near(ends(acrobotScene([0, 0, 0, 0], constants), agent), 0, -2)
    near(ends(acrobotScene([right, right, 0, 0], constants), agent), 1, 1)
    near(ends(acrobotScene([right, right, 0, 0], constants), limb), 1, 0)
  })

  test('double pendulum: both angles absolute', () =>
    near(ends(doublePendulumScene([right, right], { linkLength: 1 }), agent), 2, 0))

  test("rllab's carts: counter-clockwise", () =>
    near(ends(rllabCartpoleScene([1, 0, right, 0], { positionLimit: 3 }, true), limb), 0, 0))

  test('points', () => {
    near(ends(goalsScene([1, 2], { goals: [[5, 0]], radius: 1, limit: 7 }), agent), 1, 2)
    const maze = mazeScene([1, 2], { walls: [[0, 0, 1, 5]], goal: [4, 4], goalRadius: 1, view: [0, 0, 5, 5] })
    near(ends(maze, agent), 1, 2)
    expect(maze.shapes).toContainEqual(rectangle('#475569', [0, 0], [1, 5]))
  })

  test('mountain cars stand on the hill, wheels on the track', () => {
    const shapes = mountainCarScene([-Math.PI / 6, 0], {
      minPosition: -1.2,
      maxPosition: 0.6,
      goalPosition: 0.5,
    }).shapes
    // At the bottom of the valley, height 0.1, the car is level.
    const wheels = shapes.filter((shape): shape is Extract<Shape, { kind: 'circle' }> => shape.kind === 'circle')
    for (const { at } of wheels) expect(at[1]).toBeCloseTo(0.13, 6)
  })
})
