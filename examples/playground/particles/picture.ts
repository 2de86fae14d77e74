import { colour } from '../shared/page.ts'
import { view } from './density.ts'
import type { Moment, Point } from './flow.ts'
import { type Settings, usesBandwidth } from './settings.ts'

/** All that the picture shows. */
export interface Shown {
  readonly moment: Moment | null
  readonly settings: Settings
  readonly density: HTMLCanvasElement | null
  /** Earlier places of the particles, the oldest first. */
  readonly trails: readonly Float32Array[]
  /** The particle that is pointed at. */
  readonly particle: number | null
  /** Where the keyboard would place a particle. */
  readonly cross: Point | null
}

/** Pixels of the page. */
const RADIUS = 3.6
const ARROW = 30
const LONGEST_ARROW = 64
/** More arrows than this are drawn shorter. */
const MANY = 80
/** And so they are on a canvas narrower than this. */
const WIDE = 600

type Context = CanvasRenderingContext2D
type View = ReturnType<typeof view>

export function drawPicture(canvas: HTMLCanvasElement, shown: Shown): void {
  const context = canvas.getContext('2d') as Context
  const { moment, settings, density } = shown
  const place = view(canvas)
  const pixel = devicePixelRatio
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.lineCap = 'round'
  if (density) context.drawImage(density, 0, 0, canvas.width, canvas.height)
  if (settings.trails) drawTrails(context, place, shown.trails, pixel)
  if (moment) {
    if (settings.reach) for (let i = 0; i < moment.count; i++) drawReach(context, place, shown, i, 0.16, pixel)
    if (shown.particle !== null && shown.particle < moment.count) {
      drawLinks(context, place, moment, shown.particle, pixel)
      drawReach(context, place, shown, shown.particle, 0.8, pixel)
    }
    if (settings.arrows) drawArrows(context, place, moment, pixel)
    drawParticles(context, place, moment, shown.particle, pixel)
  }
  if (shown.cross) drawCross(context, place, shown.cross, pixel)
}

function drawTrails(context: Context, place: View, trails: readonly Float32Array[], pixel: number): void {
  context.strokeStyle = colour('--ink')
  context.lineWidth = 1.2 * pixel
  for (let t = 1; t < trails.length; t++) {
    const [from, to] = [trails[t - 1], trails[t]]
    context.globalAlpha = (0.35 * t) / trails.length
    context.beginPath()
    for (let k = 0; k < Math.min(from.length, to.length); k += 2) {
      context.moveTo(place.x(from[k]), place.y(from[k + 1]))
      context.lineTo(place.x(to[k]), place.y(to[k + 1]))
    }
    context.stroke()
  }
  context.globalAlpha = 1
}

/** A circle on which the kernel has fallen to 1/e of its height (RBF); where a bandwidth is the reach of the others. */
function drawReach(
  context: Context,
  place: View,
  { moment, settings }: Shown,
  i: number,
  alpha: number,
  pixel: number,
): void {
  if (!moment) return
  const { bandwidths } = moment.info
  const [a, b = a] = usesBandwidth(settings) ? bandwidths : [settings.kernel === 'imq' ? settings.h : Number.NaN]
  if (!(a > 0)) return
  context.globalAlpha = alpha
  context.strokeStyle = colour('--repulsion')
  context.lineWidth = pixel
  context.beginPath()
  const [x, y] = [place.x(moment.x[2 * i]), place.y(moment.x[2 * i + 1])]
  context.ellipse(x, y, Math.sqrt(a) * place.scale, Math.sqrt(b) * place.scale, 0, 0, 2 * Math.PI)
  context.stroke()
  context.globalAlpha = 1
}

/** Lines from a particle to those that it feels, as strong as the kernel. */
function drawLinks(context: Context, place: View, { x, kernel, count: n }: Moment, i: number, pixel: number): void {
  context.strokeStyle = colour('--ink')
  context.lineWidth = pixel
  for (let j = 0; j < n; j++) {
    const strength = Math.min(Math.abs(kernel[i * n + j] / kernel[i * n + i]), 1)
    if (j === i || strength < 0.02) continue
    context.globalAlpha = 0.6 * strength
    context.beginPath()
    context.moveTo(place.x(x[2 * i]), place.y(x[2 * i + 1]))
    context.lineTo(place.x(x[2 * j]), place.y(x[2 * j + 1]))
    context.stroke()
  }
  context.globalAlpha = 1
}

/** Both forces on one scale, on which the mean of the larger one has a fixed length: their balance is what matters. */
function drawArrows(context: Context, place: View, moment: Moment, pixel: number): void {
  const canvasWidth = context.canvas.width
  const { count, info, x } = moment
  const mean = Math.max(info.drive, info.repulsion)
  if (!(mean > 0)) return
  const room = Math.min(1, canvasWidth / (WIDE * pixel))
  const length = ARROW * room * Math.min(1, Math.sqrt(MANY / count)) * pixel
  for (const [force, variable] of [
    [moment.drive, '--drive'],
    [moment.repulsion, '--repulsion'],
  ] as const) {
    context.strokeStyle = colour(variable)
    context.lineWidth = 1.6 * pixel
    context.beginPath()
    for (let i = 0; i < count; i++) {
      const size = Math.hypot(force[2 * i], force[2 * i + 1])
      const long = Math.min((size / mean) * length, LONGEST_ARROW * room * pixel)
      if (long < 2 * pixel) continue
      arrow(context, place.x(x[2 * i]), place.y(x[2 * i + 1]), force[2 * i] / size, -force[2 * i + 1] / size, long)
    }
    context.stroke()
  }
}

/** From (x, y) in the direction (dx, dy), with a head. */
function arrow(context: Context, x: number, y: number, dx: number, dy: number, length: number): void {
  const [tipX, tipY] = [x + dx * length, y + dy * length]
  const head = Math.min(0.32 * length, 6 * devicePixelRatio)
  context.moveTo(x, y)
  context.lineTo(tipX, tipY)
  for (const side of [-1, 1]) {
    context.moveTo(tipX, tipY)
    context.lineTo(tipX - head * (dx + 0.6 * side * dy), tipY - head * (dy - 0.6 * side * dx))
  }
}

function drawParticles(
  context: Context,
  place: View,
  { x, count }: Moment,
  chosen: number | null,
  pixel: number,
): void {
  context.fillStyle = colour('--ink')
  context.strokeStyle = colour('--card')
  context.lineWidth = 1.2 * pixel
  for (let i = 0; i < count; i++) {
    context.beginPath()
    context.arc(place.x(x[2 * i]), place.y(x[2 * i + 1]), (i === chosen ? 1.6 : 1) * RADIUS * pixel, 0, 2 * Math.PI)
    context.fill()
    context.stroke()
  }
}

function drawCross(context: Context, place: View, [x, y]: Point, pixel: number): void {
  context.strokeStyle = colour('--accent')
  context.lineWidth = 2 * pixel
  const [left, top, arm] = [place.x(x), place.y(y), 10 * pixel]
  context.beginPath()
  context.moveTo(left - arm, top)
  context.lineTo(left + arm, top)
  context.moveTo(left, top - arm)
  context.lineTo(left, top + arm)
  context.stroke()
}
