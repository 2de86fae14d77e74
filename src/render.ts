// Pictures of environments, without tfjs: import … from 'steinrl/render'.
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
