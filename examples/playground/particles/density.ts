import { colour } from '../shared/page.ts'
import type { Settings } from './settings.ts'
import { targets } from './targets.ts'

/** Half the height of the plane that is shown; its width follows from the canvas. */
export const HALF_HEIGHT = 4

/** From the plane to the pixels of a canvas and back, y upwards. */
export function view({ width, height }: { readonly width: number; readonly height: number }) {
  const scale = height / (2 * HALF_HEIGHT)
  return {
    scale,
    x: (x: number) => width / 2 + x * scale,
    y: (y: number) => height / 2 - y * scale,
    point: (left: number, top: number): [number, number] => [(left - width / 2) / scale, (height / 2 - top) / scale],
  }
}

/** Bands of the picture, and pixels of the canvas to one of the picture. */
const BANDS = 7
const COARSENESS = 2
const DARKEST = 0.75

/** A picture of p¹ᐟᵀ in bands, as large as the canvas over the coarseness. */
export function drawDensity(canvas: HTMLCanvasElement, { target, temperature }: Settings): HTMLCanvasElement {
  const { logDensity } = targets[target]
  const width = Math.max(1, Math.round(canvas.width / COARSENESS))
  const height = Math.max(1, Math.round(canvas.height / COARSENESS))
  const { point } = view({ width, height })
  const values = new Float32Array(width * height)
  let top = Number.NEGATIVE_INFINITY
  for (let k = 0; k < values.length; k++) {
    const [x, y] = point((k % width) + 0.5, Math.floor(k / width) + 0.5)
    values[k] = logDensity(x, y) / temperature
    top = Math.max(top, values[k])
  }
  const picture = document.createElement('canvas')
  picture.width = width
  picture.height = height
  const context = picture.getContext('2d') as CanvasRenderingContext2D
  const image = context.createImageData(width, height)
  const [red, green, blue] = rgb(colour('--density'))
  for (let k = 0; k < values.length; k++) {
    image.data.set([red, green, blue, 255 * opacity(Math.exp(values[k] - top))], 4 * k)
  }
  context.putImageData(image, 0, 0)
  return picture
}

/** Of a share of the highest density: flat bands with narrow, soft edges. The root shows the slopes too. */
function opacity(share: number): number {
  const level = BANDS * Math.sqrt(share)
  const whole = Math.floor(level)
  const edge = Math.min(1, (level - whole) / 0.12)
  return (DARKEST * (whole + edge)) / (BANDS + 1)
}

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
