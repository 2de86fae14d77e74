import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { requireThat } from '../core/require.ts'
import { check, positiveNumber } from '../core/schemas.ts'
import { pixels, type Scene } from '../envs/render.ts'
import { type AnimationOptions, refuseSpeed, requireScenes } from './animation.ts'
import { compressed } from './lzw.ts'
import { drawRaster, type Raster } from './raster.ts'

const MAX_COLOURS = 256

/**
 * Scenes one after another, over and over, as the bytes of a GIF89a; of each scene what differs from the one before.
 *
 * @throws UsageError for no scenes, a speed outside of 1 … 50, a colour that is not written #rgb or #rrggbb, more than
 *   256 of them, and for texts
 */
export function drawGif(scenes: readonly Scene[], options: AnimationOptions = {}): Uint8Array {
  refuseUnknown('drawGif', options, ['width', 'background', 'framesPerSecond'])
  const { width = 600, background = '#ffffff', framesPerSecond = 30 } = options
  requireScenes('drawGif', scenes)
  check(positiveNumber('width'), width)
  refuseSpeed(framesPerSecond)
  const height = Math.round(pixels(scenes[0], width).height)
  if (!(Number.isInteger(width) && width >= 1 && width <= 4096 && height >= 1 && height <= 4096))
    throw new UsageError(`A GIF must be from 1 to 4096 whole pixels wide and high, got ${show(width)} by ${height}.`)
  const palette = paletteOf(scenes, background)
  const numbers = new Map([...palette.keys()].map((colour, k) => [colour, k]))
  let bits = 2
  while (1 << bits < palette.size) bits++
  const table = new Uint8Array(3 << bits)
  table.set([...palette.values()].flat())
  const out: number[][] = [
    [...ascii('GIF89a'), ...short(width), ...short(height), 0xf0 | (bits - 1), 0, 0],
    [...table],
    [0x21, 0xff, 11, ...ascii('NETSCAPE2.0'), 3, 1, 0, 0, 0],
  ]
  let before: Raster | null = null
  scenes.forEach((scene, k) => {
    const raster: Raster = { width, height, pixels: new Uint8Array(width * height) }
    drawRaster(raster, scene, (colour) => numbers.get(colour) as number)
    const hundredths = Math.round((100 * (k + 1)) / framesPerSecond) - Math.round((100 * k) / framesPerSecond)
    out.push(frame(raster, changed(raster, before), hundredths, bits))
    before = raster
  })
  out.push([0x3b])
  return Uint8Array.from(out.flat())
}

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0))
const short = (value: number) => [value & 255, value >> 8]

/** Red, green and blue of every colour; the background is the first. */
export function paletteOf(scenes: readonly Scene[], background: string): Map<string, readonly number[]> {
  const palette = new Map([[background, channels(background)]])
  for (const { shapes } of scenes)
    for (const shape of shapes) {
      const colour = shape.kind === 'line' ? shape.stroke : shape.fill
      if (!palette.has(colour)) palette.set(colour, channels(colour))
    }
  if (palette.size <= MAX_COLOURS) return palette
  throw new UsageError(`A GIF has at most ${MAX_COLOURS} colours, the scenes have ${palette.size}: write a .svg.`)
}

function channels(colour: string): readonly number[] {
  requireThat(typeof colour === 'string', 'drawGif', 'colours as texts', colour)
  const digits = /^#(?:([\da-f])([\da-f])([\da-f])|([\da-f]{2})([\da-f]{2})([\da-f]{2}))$/i.exec(colour)
  if (!digits) throw new UsageError(`A colour of a GIF must be written #rgb or #rrggbb, got ${show(colour)}.`)
  return digits.slice(1).flatMap((part) => (part ? [Number.parseInt(part.length === 1 ? part + part : part, 16)] : []))
}

/** The smallest rectangle outside of which nothing changed: left, top, right, bottom. */
function changed({ width, height, pixels: now }: Raster, before: Raster | null): readonly number[] {
  if (!before) return [0, 0, width, height]
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let k = 0; k < now.length; k++) {
    if (now[k] === before.pixels[k]) continue
    const x = k % width
    const y = (k - x) / width
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + 1)
    bottom = y + 1
  }
  return bottom === 0 ? [0, 0, 1, 1] : [left, top, right, bottom]
}

/** Part of a raster, drawn over what is shown. */
function frame(raster: Raster, [left, top, right, bottom]: readonly number[], hundredths: number, bits: number) {
  const part = new Uint8Array((right - left) * (bottom - top))
  for (let y = top; y < bottom; y++) {
    const row = raster.pixels.subarray(y * raster.width + left, y * raster.width + right)
    part.set(row, (y - top) * (right - left))
  }
  const control = [0x21, 0xf9, 4, 4, ...short(hundredths), 0, 0]
  const place = [0x2c, ...short(left), ...short(top), ...short(right - left), ...short(bottom - top), 0]
  return [...control, ...place, bits, ...compressed(part, bits)]
}
