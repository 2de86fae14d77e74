export { svpg } from './algorithms/svpg.ts'
export { createSVGD, particlesOf } from './svgd/svgd.ts'
