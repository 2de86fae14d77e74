import { describe, expect, test } from '@jest/globals'
import { circle, line, polygon, rectangle, type Scene, type Shape, text } from '../../src/envs/render.ts'
import { drawGif } from '../../src/play/gif.ts'
import { compressed } from '../../src/play/lzw.ts'
import { decodeGif, decompressed } from './decode-gif.ts'

const scene = (...shapes: Shape[]): Scene => ({ view: [0, 0, 8, 4], shapes })
const RED = '#ff0000'
const GREEN = '#0f0'

/** Pixels of a scene on 8 × 4 of them, as letters. */
function drawn(shape: Shape): string[] {
  const [{ rows }] = decodeGif(drawGif([scene(shape)], { width: 8 })).frames
  return rows.map((row) => row.map((colour) => (colour === 'ff0000' ? 'X' : '.')).join(''))
}

test('a rectangle, a triangle, a disc and a line cover the pixels whose centres lie in them', () => {
  expect(drawn(rectangle(RED, [1, 1], [4, 3]))).toEqual(['........', '.XXX....', '.XXX....', '........'])
  expect(drawn(polygon(RED, [0, 0], [4, 0], [0, 4]))).toEqual(
    ['........', 'X.......', 'XX......', 'XXX.....'].map(diagonal),
  )
  expect(drawn(circle(RED, [4, 2], 1.6))).toEqual(['...XX...', '..XXXX..', '..XXXX..', '...XX...'])
  expect(drawn(line(RED, 0.01, [0, 1.5], [8, 1.5]))).toEqual(['........', '........', 'XXXXXXXX', '........'])
  expect(drawn(circle(RED, [40, 2], 1))).toEqual(Array(4).fill('........'))
})

/** Centres that lie on the side itself are to the left of it. */
const diagonal = (row: string) => row

test('frames: one a scene, what differs drawn over the one before, hundredths of a second that add up', () => {
  const scenes = [0, 1, 1, 5].map((x) => scene(rectangle(RED, [x, 1], [x + 2, 2]), rectangle(GREEN, [0, 0], [8, 1])))
  const bytes = drawGif(scenes, { width: 8, framesPerSecond: 30 })
  expect(drawGif(scenes, { width: 8, framesPerSecond: 30 })).toEqual(bytes)
  const { width, height, frames } = decodeGif(bytes)
  expect([width, height]).toEqual([8, 4])
  expect(frames.map(({ hundredths }) => hundredths)).toEqual([3, 4, 3, 3])
  expect(frames.map(({ part }) => part)).toEqual([
    [0, 0, 8, 4],
    [0, 2, 3, 1],
    [0, 0, 1, 1],
    [1, 2, 6, 1],
  ])
  scenes.forEach((each, k) => {
    expect(frames[k].rows).toEqual(decodeGif(drawGif([each], { width: 8 })).frames[0].rows)
  })
  expect(frames[3].rows[2]).toEqual([...Array(5).fill('ffffff'), 'ff0000', 'ff0000', 'ffffff'])
  expect(frames[3].rows[3]).toEqual(Array(8).fill('00ff00'))
})

describe('LZW', () => {
  test.each([2, 5, 8])('numbers of %i bits come back, also where all 4096 codes are used up', (bits) => {
    let state = 1
    const noise = Uint8Array.from({ length: 50_000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> (32 - bits)
    })
    const flat = new Uint8Array(100_000)
    for (const values of [noise, flat, noise.subarray(0, 1), Uint8Array.from([...flat, ...noise, ...flat])])
      expect(Buffer.compare(decompressed(compressed(values, bits), bits), values)).toBe(0)
  })
})

test('what a GIF cannot hold is refused in a sentence', () => {
  const draw = (shape: Shape, width = 8) => drawGif([scene(shape)], { width })
  expect(() => draw(text(RED, [1, 1], 1, 'R'))).toThrow(
    'A GIF has no letters for the text "R" of the scene: write a .svg.',
  )
  expect(() => draw(circle('red', [1, 1], 1))).toThrow('A colour of a GIF must be written #rgb or #rrggbb, got "red".')
  expect(() => draw(circle(RED, [1, 1], 1), 0.5)).toThrow(
    'A GIF must be from 1 to 4096 whole pixels wide and high, got 0.5 by 0.',
  )
  expect(() => drawGif([])).toThrow('drawGif needs at least one scene.')
  const shades = Array.from({ length: 256 }, (_, k) => circle(`#${k.toString(16).padStart(6, '0')}`, [1, 1], 1))
  expect(() => drawGif([scene(...shades)])).toThrow('A GIF has at most 256 colours, the scenes have 257: write a .svg.')
})
