/**
 * Pictures of environments, without tfjs.
 *
 * @module steinrl/render
 */

export {
  type Canvas,
  circle,
  drawCanvas,
  drawSvg,
  line,
  type Point,
  polygon,
  rectangle,
  type Scene,
  type Shape,
  type SvgOptions,
  text,
} from './envs/render.ts'
