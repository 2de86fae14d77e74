import { colour, fitCanvas, onceAFrame, onThemeChange } from '../shared/page.ts'
import type { Plane } from './protocol.ts'

/** A picture of all particles, in which one can be chosen. */
export interface Picture<Data> {
  show(data: Data | null, chosen: number | null): void
}

interface Options<Data> {
  draw(context: CanvasRenderingContext2D, data: Data, chosen: number | null): void
  /** The particle at a place in shares of the width and height. */
  find(data: Data, x: number, y: number, ratio: number): number | null
  choose(particle: number): void
}

function createPicture<Data>(canvas: HTMLCanvasElement, { draw, find, choose }: Options<Data>): Picture<Data> {
  let shown: { data: Data | null; chosen: number | null } = { data: null, chosen: null }
  const redraw = onceAFrame(() => {
    const context = canvas.getContext('2d') as CanvasRenderingContext2D
    context.clearRect(0, 0, canvas.width, canvas.height)
    if (shown.data !== null) draw(context, shown.data, shown.chosen)
  })
  fitCanvas(canvas, redraw)
  onThemeChange(redraw)
  canvas.addEventListener('click', ({ offsetX, offsetY }) => {
    if (shown.data === null) return
    const { clientWidth, clientHeight } = canvas
    const found = find(shown.data, offsetX / clientWidth, offsetY / clientHeight, clientWidth / clientHeight)
    if (found !== null) choose(found)
  })
  return {
    show(data, chosen) {
      shown = { data, chosen }
      redraw()
    },
  }
}

/** k(x_i, x_j) as squares, from empty (0) to full (1). */
export function kernelPicture(canvas: HTMLCanvasElement, choose: (particle: number) => void): Picture<number[][]> {
  return createPicture(canvas, {
    choose,
    draw(context, kernel, chosen) {
      const n = kernel.length
      const { width, height } = context.canvas
      // Whole pixels, or the squares would have seams.
      const edge = (k: number, size: number) => Math.round((k * size) / n)
      context.fillStyle = colour('--accent')
      kernel.forEach((row, i) => {
        row.forEach((value, j) => {
          // The root shows what is small too: particles of thousands of parameters are far from each other.
          context.globalAlpha = Math.cbrt(Math.min(Math.max(value, 0), 1))
          const [left, top] = [edge(j, width), edge(i, height)]
          context.fillRect(left, top, edge(j + 1, width) - left, edge(i + 1, height) - top)
        })
      })
      context.globalAlpha = 1
      if (chosen === null || chosen >= n) return
      context.strokeStyle = colour('--ink')
      context.lineWidth = 2 * devicePixelRatio
      context.strokeRect(0, edge(chosen, height), width, height / n)
    },
    find: ({ length: n }, _, y) => Math.min(Math.max(Math.floor(y * n), 0), n - 1),
  })
}

/** Particles in their plane, and how good each of them is: from 0 to 1. */
export interface Placed {
  readonly plane: Plane
  readonly merit: readonly (number | null)[]
}

const MARGIN = 0.09

/** The smallest square around all points, with a margin; y upwards. */
function frameOf({ points }: Plane) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const middle = (all: number[]) => (Math.min(...all) + Math.max(...all)) / 2
  const [cx, cy] = [middle(xs), middle(ys)]
  const half = Math.max(...xs.map((x) => Math.abs(x - cx)), ...ys.map((y) => Math.abs(y - cy)), 1e-9)
  const scale = (0.5 - MARGIN) / half
  return ([x, y]: readonly [number, number]): [number, number] => [0.5 + (x - cx) * scale, 0.5 - (y - cy) * scale]
}

export function planePicture(canvas: HTMLCanvasElement, choose: (particle: number) => void): Picture<Placed> {
  return createPicture(canvas, {
    choose,
    draw(context, { plane, merit }, chosen) {
      const place = frameOf(plane)
      const { width, height } = context.canvas
      const size = Math.min(width, height)
      plane.points.forEach((point, i) => {
        const [x, y] = place(point)
        const [left, top] = [width / 2 + (x - 0.5) * size, height / 2 + (y - 0.5) * size]
        context.beginPath()
        context.arc(left, top, 7 * devicePixelRatio, 0, 2 * Math.PI)
        context.globalAlpha = 0.12 + 0.88 * (merit[i] ?? 0)
        context.fillStyle = colour('--accent')
        context.fill()
        context.globalAlpha = 1
        context.lineWidth = (i === chosen ? 3 : 1.2) * devicePixelRatio
        context.strokeStyle = colour(i === chosen ? '--ink' : '--accent')
        context.stroke()
      })
    },
    find({ plane }, x, y, ratio) {
      const place = frameOf(plane)
      const [across, up] = [Math.max(ratio, 1), Math.max(1 / ratio, 1)]
      const distances = plane.points.map((point) => {
        const [px, py] = place(point)
        return Math.hypot((x - 0.5) * across - (px - 0.5), (y - 0.5) * up - (py - 0.5))
      })
      const nearest = distances.indexOf(Math.min(...distances))
      return distances[nearest] < 0.1 ? nearest : null
    },
  })
}
