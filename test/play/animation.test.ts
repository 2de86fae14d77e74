import { expect, test } from '@jest/globals'
import { circle, drawSvg, line, rectangle, type Scene, type Shape, text } from '../../src/envs/render.ts'
import { drawAnimation } from '../../src/play/animation.ts'
import { populationScenes, sideBySide } from '../../src/play/side-by-side.ts'

const view = [0, 0, 4, 2] as const
const scene = (...shapes: Shape[]): Scene => ({ view, shapes })
const ground = line('black', 0.1, [0, 0], [4, 0])
const ball = (x: number, fill = 'red') => circle(fill, [x, 1], 0.5)

test('attributes that change are animated, each value once, and the rest stands there as in a picture', () => {
  const scenes = [
    scene(ground, ball(1)),
    scene(ground, ball(1)),
    scene(ground, ball(2, 'blue')),
    scene(ground, ball(3)),
  ]
  const animated = drawAnimation(scenes, { width: 400, framesPerSecond: 2 })
  const animations = [...animated.matchAll(/<animate [^>]*\/>/g)].map(([tag]) => tag)
  const rest = 'dur="2000ms" calcMode="discrete" repeatCount="indefinite"/>'
  expect(animations).toEqual([
    `<animate attributeName="cx" values="100;200;300" keyTimes="0;0.5;0.75" ${rest}`,
    `<animate attributeName="fill" values="red;blue;red" keyTimes="0;0.5;0.75" ${rest}`,
  ])
  const still = animated.replace(/<animate [^>]*\/>/g, '').replace('></circle>', '/>')
  expect(still).toBe(drawSvg(scenes[0], { width: 400 }))
})

test('where shapes come and go, every scene is drawn whole, and one is shown at a time', () => {
  const scenes = [scene(ball(1)), scene(ball(1), text('red', [1, 1], 0.3, 'A')), scene(ball(2))]
  const animated = drawAnimation(scenes, { framesPerSecond: 30 })
  const groups = animated.match(/<g display="\w+"><animate attributeName="display" values="[\w;]+" keyTimes="[\d.;]+"/g)
  expect(groups).toEqual([
    '<g display="inline"><animate attributeName="display" values="inline;none" keyTimes="0;0.333333"',
    '<g display="none"><animate attributeName="display" values="none;inline;none" keyTimes="0;0.333333;0.666667"',
    '<g display="none"><animate attributeName="display" values="none;inline" keyTimes="0;0.666667"',
  ])
  expect(animated.match(/<circle/g)).toHaveLength(3)
  expect(animated.match(/<text/g)).toHaveLength(1)
})

test('one scene does not move; none, and speeds that are not allowed, are refused', () => {
  expect(drawAnimation([scene(ball(1))])).toBe(drawSvg(scene(ball(1))))
  expect(() => drawAnimation([])).toThrow('drawAnimation needs at least one scene.')
  for (const framesPerSecond of [0, 51, Number.NaN])
    expect(() => drawAnimation([scene()], { framesPerSecond })).toThrow(
      `framesPerSecond must be a number from 1 to 50, got ${framesPerSecond}.`,
    )
})

test('side by side: two columns, the third below, each moved as a whole', () => {
  const cell = (x: number): Scene => ({ view: [-1, -1, 2, 2], shapes: [rectangle('red', [-1, -1], [x, 1])] })
  const { view: whole, shapes } = sideBySide([cell(1), cell(0), cell(1)])
  expect(whole).toEqual([0, 0, 4.08, 4.08])
  const corners = shapes.map((shape) => 'points' in shape && [shape.points[0], shape.points[2]])
  expect(corners).toEqual([
    [
      [0, 2.08],
      [2, 4.08],
    ],
    [
      [2.08, 2.08],
      [3.08, 4.08],
    ],
    [
      [0, 0],
      [2, 2],
    ],
  ])
})

test('the shorter episode shows its last scene until the longer one ends', () => {
  const [short, long] = [
    [0, 1],
    [0, 1, 2, 3],
  ].map((episode) => episode.map((x) => scene(ball(x))))
  const scenes = populationScenes([short, long])
  expect(scenes).toHaveLength(4)
  const places = scenes.map(({ shapes }) => shapes.map((shape) => 'at' in shape && Math.round(100 * shape.at[0]) / 100))
  expect(places).toEqual([
    [0, 4.16],
    [1, 5.16],
    [1, 6.16],
    [1, 7.16],
  ])
})
