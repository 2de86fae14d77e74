import { refuseUnknown } from '../core/options.ts'
import { isList, isRecord, requireThat } from '../core/require.ts'
import type { CanvasContext } from '../core/runtime-types.ts'
import { check, positiveNumber } from '../core/schemas.ts'

/** A picture in world coordinates, y upwards: pure data, drawn by drawSvg and drawCanvas. */
export interface Scene {
  /** What is shown: left, bottom, width and height in world units. */
  readonly view: readonly [left: number, bottom: number, width: number, height: number]
  /** From the back to the front. */
  readonly shapes: readonly Shape[]
}

/** A place in the scene, [x, y]. */
export type Point = readonly [x: number, y: number]

/** Widths, radii and sizes are in world units. Lines have round ends and corners. */
export type Shape = Line | Polygon | Circle | Text

/** Straight pieces from point to point, in units of the scene. */
export interface Line {
  readonly kind: 'line'
  readonly points: readonly Point[]
  readonly stroke: string
  readonly width: number
}

/** A filled polygon. */
export interface Polygon {
  readonly kind: 'polygon'
  readonly points: readonly Point[]
  readonly fill: string
}

/** A filled circle, its radius in units of the scene. */
export interface Circle {
  readonly kind: 'circle'
  readonly at: Point
  readonly radius: number
  readonly fill: string
}

/** A text, its size in units of the scene. */
export interface Text {
  readonly kind: 'text'
  readonly at: Point
  readonly text: string
  readonly size: number
  readonly fill: string
  /** Which part of the text stands at the point; default 'middle'. */
  readonly anchor?: 'start' | 'middle' | 'end'
}

/** A line of a colour and a width, in the units of the scene, through points [x, y]. */
export const line = (stroke: string, width: number, ...points: readonly Point[]): Line =>
  shape('line', 'a colour, a width and points [x, y]', { kind: 'line', points, stroke, width })
/** A polygon filled with a colour, with corners [x, y]. */
export const polygon = (fill: string, ...points: readonly Point[]): Polygon =>
  shape('polygon', 'a colour and corners [x, y]', { kind: 'polygon', points, fill })
/** A disc of a colour at [x, y], with a radius in the units of the scene. */
export const circle = (fill: string, at: Point, radius: number): Circle =>
  shape('circle', 'a colour, a point [x, y] and a radius', { kind: 'circle', at, radius, fill })
/** Words in a colour at [x, y], of a height in the units of the scene. */
export const text = (fill: string, at: Point, size: number, words: string, anchor?: Text['anchor']): Text =>
  shape('text', 'a colour, a point [x, y], a size, words, and start, middle or end', {
    ...{ kind: 'text', at, text: words, size, fill, anchor },
  })

/** What a function has made of its arguments, unless they are none of a shape. */
function shape<S extends Shape>(taker: string, what: string, made: S): S {
  const { kind: _, ...given } = made
  requireThat(isShape(made), taker, what, Object.values(given))
  return made
}

/** A rectangle by its lower left and upper right corners. */
export function rectangle(fill: string, lowerLeft: Point, upperRight: Point): Polygon {
  for (const corner of [lowerLeft, upperRight]) requireThat(isPoint(corner), 'rectangle', 'corners [x, y]', corner)
  const [left, bottom] = lowerLeft
  const [right, top] = upperRight
  return polygon(fill, [left, bottom], [right, bottom], [right, top], [left, top])
}

/** How large drawSvg() draws. */
export interface SvgOptions {
  /** Pixels; the height follows from the view. Default 600. */
  width?: number
  /** Default white. */
  background?: string
}

/**
 * The picture as an SVG document.
 *
 * @throws UsageError for what is no scene, naming the shape that is none
 */
export function drawSvg(scene: Scene, options: SvgOptions = {}): string {
  refuseUnknown('drawSvg', options, ['width', 'background'])
  requireScene('drawSvg', scene)
  const { width = 600, background = '#ffffff' } = options
  check(positiveNumber('width'), width)
  requireThat(typeof background === 'string', 'drawSvg', 'a background that is a colour', background)
  return svgDocument(
    scene,
    width,
    background,
    elementsOf(scene, width).map((element) => svgElement(element)),
  )
}

/** The elements in a document of the size of a scene. */
export function svgDocument(scene: Scene, width: number, background: string, elements: readonly string[]): string {
  const [across, down] = [width, pixels(scene, width).height].map(round)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${across}" height="${down}" viewBox="0 0 ${across} ${down}">`,
    `<rect width="100%" height="100%" fill="${escaped(background)}"/>`,
    ...elements,
    '</svg>',
  ].join('\n')
}

/** A shape as SVG draws it, in pixels. */
export interface SvgElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly content: string
}

/** The element of a document, and what stands inside of it. */
export function svgElement({ name, attributes, content }: SvgElement, inside = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`)
  const within = escaped(content) + inside
  return `<${[name, ...written].join(' ')}${within ? `>${within}</${name}>` : '/>'}`
}

const round = (value: number) => String(Math.round(value * 100) / 100)

/** Every shape of a scene. */
export function elementsOf(scene: Scene, width: number): SvgElement[] {
  const { scale, place } = pixels(scene, width)
  const path = (points: readonly Point[]) => points.map((point) => place(point).map(round).join(',')).join(' ')
  const ends = { 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }
  const draw = (shape: Shape): SvgElement => {
    switch (shape.kind) {
      case 'line': {
        const stroke = { stroke: shape.stroke, 'stroke-width': round(shape.width * scale), ...ends }
        return { name: 'polyline', attributes: { points: path(shape.points), fill: 'none', ...stroke }, content: '' }
      }
      case 'polygon':
        return { name: 'polygon', attributes: { points: path(shape.points), fill: shape.fill }, content: '' }
      case 'circle': {
        const [cx, cy] = place(shape.at).map(round)
        return { name: 'circle', attributes: { cx, cy, r: round(shape.radius * scale), fill: shape.fill }, content: '' }
      }
      case 'text': {
        const [x, y] = place(shape.at).map(round)
        const font = { 'font-size': round(shape.size * scale), 'font-family': FONT }
        const attributes = { x, y, ...font, 'text-anchor': shape.anchor ?? 'middle', fill: shape.fill }
        return { name: 'text', attributes, content: shape.text }
      }
    }
  }
  return scene.shapes.map(draw)
}

/** What drawCanvas needs of a CanvasRenderingContext2D. */
export type Canvas = Pick<
  CanvasContext,
  | 'arc'
  | 'beginPath'
  | 'clearRect'
  | 'closePath'
  | 'fill'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'lineCap'
  | 'lineJoin'
  | 'lineTo'
  | 'lineWidth'
  | 'moveTo'
  | 'stroke'
  | 'strokeStyle'
  | 'textAlign'
> & { readonly canvas: { readonly width: number; readonly height: number } }

/**
 * Draws the picture on a canvas, cleared first: as large as fits, in the middle.
 *
 * @throws UsageError for what is no context of a canvas, and for what is no scene
 */
export function drawCanvas(context: Canvas, scene: Scene): void {
  const isCanvas = isRecord(context) && typeof context.clearRect === 'function' && isRecord(context.canvas)
  requireThat(isCanvas, 'drawCanvas', "a canvas's 2d context", context)
  requireScene('drawCanvas', scene)
  const { width, height } = context.canvas
  const [, , across, up] = scene.view
  const fitted = Math.min(width, (height * across) / up)
  const { scale, place, height: fittedHeight } = pixels(scene, fitted)
  const moved = (point: Point): Point => {
    const [x, y] = place(point)
    return [x + (width - fitted) / 2, y + (height - fittedHeight) / 2]
  }
  context.clearRect(0, 0, width, height)
  for (const shape of scene.shapes) drawShape(context, shape, scale, moved)
}

function drawShape(context: Canvas, shape: Shape, scale: number, place: (point: Point) => Point): void {
  context.beginPath()
  if (shape.kind === 'circle') context.arc(...place(shape.at), shape.radius * scale, 0, 2 * Math.PI)
  if (shape.kind === 'line' || shape.kind === 'polygon') {
    shape.points.forEach((point, k) => {
      if (k === 0) context.moveTo(...place(point))
      else context.lineTo(...place(point))
    })
  }
  if (shape.kind === 'line') {
    context.strokeStyle = shape.stroke
    context.lineWidth = shape.width * scale
    context.lineCap = 'round'
    context.lineJoin = 'round'
    context.stroke()
    return
  }
  context.fillStyle = shape.fill
  if (shape.kind === 'text') {
    context.font = `${shape.size * scale}px ${FONT}`
    context.textAlign = shape.anchor === 'middle' || !shape.anchor ? 'center' : shape.anchor
    context.fillText(shape.text, ...place(shape.at))
    return
  }
  if (shape.kind === 'polygon') context.closePath()
  context.fill()
}

const areNumbers = (values: readonly unknown[]) => values.every(Number.isFinite)
const areTexts = (values: readonly unknown[]) => values.every((value) => typeof value === 'string')
const isPoint = (value: unknown): value is Point =>
  isList(value) && value.length === 2 && areNumbers([value[0], value[1]])
const arePoints = (value: unknown) => Array.isArray(value) && value.findIndex((point) => !isPoint(point)) < 0

const ANCHORS: readonly unknown[] = [undefined, 'start', 'middle', 'end']

function isShape(shape: unknown): shape is Shape {
  if (!isRecord(shape)) return false
  const { kind, points, at, stroke, width, fill, radius, size, text: words, anchor } = shape
  if (kind === 'line') return arePoints(points) && areTexts([stroke]) && areNumbers([width])
  if (kind === 'polygon') return arePoints(points) && areTexts([fill])
  if (kind === 'circle') return isPoint(at) && areTexts([fill]) && areNumbers([radius])
  const isText = kind === 'text' && isPoint(at) && areTexts([fill, words]) && areNumbers([size])
  return isText && ANCHORS.includes(anchor)
}

export function requireScene(taker: string, scene: Scene): void {
  const isScene = isRecord(scene) && isList(scene.view) && Array.isArray(scene.shapes)
  requireThat(isScene, taker, 'a scene { view, shapes }', scene)
  const { view } = scene
  const isView = view.length === 4 && areNumbers(Array.from(view)) && view[2] > 0 && view[3] > 0
  requireThat(isView, taker, 'a view [left, bottom, width, height] of finite numbers, the last two above 0', view)
  for (const shape of scene.shapes)
    requireThat(isShape(shape), taker, 'shapes as line, polygon, circle and text give', shape)
}

const FONT = 'system-ui, sans-serif'

/** From world units to pixels, y downwards. */
export function pixels({ view: [left, bottom, across, up] }: Scene, width: number) {
  const scale = width / across
  const place = ([x, y]: Point): Point => [(x - left) * scale, (bottom + up - y) * scale]
  return { scale, height: up * scale, place }
}

const escaped = (words: string) =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
