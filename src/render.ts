/**
 * Pictures of environments, without tfjs.
 *
 * @module steinrl/render
 */

export type { CanvasContext } from './core/runtime-types.ts'
export {
  type Canvas,
  type Circle,
  circle,
  drawCanvas,
  drawSvg,
  type Line,
  line,
  type Point,
  type Polygon,
  polygon,
  rectangle,
  type Scene,
  type Shape,
  type SvgOptions,
  type Text,
  text,
} from './envs/render.ts'
export { type AnimationOptions, drawAnimation } from './play/animation.ts'
export { drawGif } from './play/gif.ts'
export { sideBySide } from './play/side-by-side.ts'
