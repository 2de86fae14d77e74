import { UsageError } from '../core/errors.ts'
import { type Point, pixels, type Scene, type Shape } from '../envs/render.ts'

/** A picture whose pixels are numbers of colours. */
export interface Raster {
  readonly width: number
  readonly height: number
  /** [height × width] from the top left, row by row. */
  readonly pixels: Uint8Array
}

/** Which number stands for a colour. */
type ColourNumber = (colour: string) => number

/**
 * Draws a scene on a raster that is already filled with its background: a pixel has the colour of the last shape that
 * its centre lies in. Lines are at least a pixel wide.
 *
 * @throws UsageError for a text, for which there are no letters
 */
export function drawRaster(raster: Raster, scene: Scene, numberOf: ColourNumber): void {
  const { scale, place } = pixels(scene, raster.width)
  for (const shape of scene.shapes) drawShape(raster, shape, scale, place, numberOf)
}

function drawShape(
  raster: Raster,
  shape: Shape,
  scale: number,
  place: (point: Point) => Point,
  numberOf: ColourNumber,
): void {
  switch (shape.kind) {
    case 'polygon':
      fillPolygon(raster, shape.points.map(place), numberOf(shape.fill))
      break
    case 'circle':
      fillCircle(raster, place(shape.at), shape.radius * scale, numberOf(shape.fill))
      break
    case 'line':
      fillLine(raster, shape.points.map(place), Math.max(shape.width * scale, 1), numberOf(shape.stroke))
      break
    case 'text':
      throw new UsageError(
        `A GIF has no letters for the text ${JSON.stringify(shape.text)} of the scene: write a .svg.`,
      )
  }
}

/** Pixels of row y whose centres are from `left` up to and without `right`. */
function fillSpan({ width, pixels: out }: Raster, y: number, left: number, right: number, colour: number): void {
  const from = Math.max(Math.ceil(left - 0.5), 0)
  const to = Math.min(Math.ceil(right - 0.5), width)
  if (from < to) out.fill(colour, y * width + from, y * width + to)
}

/** Rows whose centres are from `top` up to and without `bottom`. */
const rowsBetween = ({ height }: Raster, top: number, bottom: number) =>
  [Math.max(Math.ceil(top - 0.5), 0), Math.min(Math.ceil(bottom - 0.5), height)] as const

function fillPolygon(raster: Raster, corners: readonly Point[], colour: number): void {
  const heights = corners.map(([, y]) => y)
  const [first, end] = rowsBetween(raster, Math.min(...heights), Math.max(...heights))
  for (let row = first; row < end; row++) {
    const y = row + 0.5
    const crossings: number[] = []
    corners.forEach(([x0, y0], k) => {
      const [x1, y1] = corners[(k + 1) % corners.length]
      if (y0 <= y !== y1 <= y) crossings.push(x0 + ((x1 - x0) * (y - y0)) / (y1 - y0))
    })
    crossings.sort((a, b) => a - b)
    for (let k = 0; k + 1 < crossings.length; k += 2) fillSpan(raster, row, crossings[k], crossings[k + 1], colour)
  }
}

function fillCircle(raster: Raster, [x, y]: Point, radius: number, colour: number): void {
  const [first, end] = rowsBetween(raster, y - radius, y + radius)
  for (let row = first; row < end; row++) {
    const away = row + 0.5 - y
    const half = Math.sqrt(Math.max(radius * radius - away * away, 0))
    fillSpan(raster, row, x - half, x + half, colour)
  }
}

/** A rectangle for every piece, and a disc at every point. */
function fillLine(raster: Raster, points: readonly Point[], width: number, colour: number): void {
  for (const point of points) fillCircle(raster, point, width / 2, colour)
  for (let k = 1; k < points.length; k++) {
    const [[x0, y0], [x1, y1]] = [points[k - 1], points[k]]
    const length = Math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0))
    if (length === 0) continue
    const [nx, ny] = [((y1 - y0) * width) / length / 2, ((x0 - x1) * width) / length / 2]
    const corners: Point[] = [
      [x0 + nx, y0 + ny],
      [x1 + nx, y1 + ny],
      [x1 - nx, y1 - ny],
      [x0 - nx, y0 - ny],
    ]
    fillPolygon(raster, corners, colour)
  }
}
