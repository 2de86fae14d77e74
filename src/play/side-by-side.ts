import type { Point, Scene, Shape } from '../envs/render.ts'
import { requireScenes } from './animation.ts'

/** The part of the width that is free between two scenes. */
const GAP = 0.04

/**
 * Scenes in rows and columns of one scene, each as large as the first.
 *
 * @throws UsageError for no scenes and for what is none
 */
export function sideBySide(scenes: readonly Scene[]): Scene {
  requireScenes('sideBySide', scenes)
  const [, , width, height] = scenes[0].view
  const columns = Math.ceil(Math.sqrt(scenes.length))
  const rows = Math.ceil(scenes.length / columns)
  const gap = GAP * width
  const shapes = scenes.flatMap((scene, k) => {
    const [left, bottom] = scene.view
    const [column, row] = [k % columns, Math.floor(k / columns)]
    return scene.shapes.map((shape) =>
      moved(shape, [column * (width + gap) - left, (rows - 1 - row) * (height + gap) - bottom]),
    )
  })
  return { view: [0, 0, columns * (width + gap) - gap, rows * (height + gap) - gap], shapes }
}

/**
 * Several episodes side by side, as long as the longest; those that end before show their last scene.
 *
 * @param episodes [n] the scenes of each
 */
export function populationScenes(episodes: readonly (readonly Scene[])[]): Scene[] {
  if (episodes.length === 1) return [...episodes[0]]
  const longest = Math.max(...episodes.map(({ length }) => length))
  return Array.from({ length: longest }, (_, k) =>
    sideBySide(episodes.map((scenes) => scenes[Math.min(k, scenes.length - 1)])),
  )
}

function moved(shape: Shape, [dx, dy]: Point): Shape {
  const move = ([x, y]: Point): Point => [x + dx, y + dy]
  return 'points' in shape ? { ...shape, points: shape.points.map(move) } : { ...shape, at: move(shape.at) }
}
