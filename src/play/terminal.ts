import type { Scene } from '../envs/render.ts'
import { pixels } from '../envs/render.ts'
import { paletteOf } from './gif.ts'
import { drawRaster, type Raster } from './raster.ts'

const BACKGROUND = '#ffffff'

/**
 * Scenes as lines of text for a terminal of 24-bit colours, all as large as the first: each letter is a half block that
 * shows two pixels, one above the other. Texts of a scene are left out.
 *
 * @param columns letters of a line
 * @param rows lines at most
 */
export function drawForTerminal(scenes: readonly Scene[], columns: number, rows: number): string[] {
  const plain = scenes.map(({ view, shapes }) => ({ view, shapes: shapes.filter(({ kind }) => kind !== 'text') }))
  const palette = paletteOf(plain, BACKGROUND)
  const colours = [...palette.values()]
  const numbers = new Map([...palette.keys()].map((colour, k) => [colour, k]))
  const tall = pixels(scenes[0], columns).height
  const width = Math.max(1, Math.floor(columns * Math.min(1, (2 * rows) / tall)))
  const height = 2 * Math.max(1, Math.min(rows, Math.ceil(pixels(scenes[0], width).height / 2)))
  return plain.map((scene) => {
    const raster: Raster = { width, height, pixels: new Uint8Array(width * height) }
    drawRaster(raster, scene, (colour) => numbers.get(colour) as number)
    return Array.from({ length: height / 2 }, (_, row) => lineOf(raster, row, colours)).join('\n')
  })
}

/** Codes stand where a colour changes. */
function lineOf({ width, pixels: all }: Raster, row: number, colours: readonly (readonly number[])[]): string {
  let line = ''
  let before = ''
  for (let x = 0; x < width; x++) {
    const [above, below] = [0, 1].map((half) => colours[all[(2 * row + half) * width + x]].join(';'))
    const code = `\u001b[38;2;${above};48;2;${below}m`
    if (code !== before) line += code
    before = code
    line += '▀'
  }
  return `${line}\u001b[0m`
}
