import { expect, test } from '@jest/globals'
import { circle, polygon, type Scene, text } from '../../src/envs/render.ts'
import { drawForTerminal } from '../../src/play/terminal.ts'

/** Two units wide and one high: the left half red, the upper right quarter blue. */
const scene: Scene = {
  view: [0, 0, 2, 1],
  shapes: [
    polygon('#ff0000', [0, 0], [1, 0], [1, 1], [0, 1]),
    polygon('#0000ff', [1, 0.5], [2, 0.5], [2, 1], [1, 1]),
    text('#000', [1, 1], 1, 'words'),
  ],
}

/** The colours of the upper and the lower pixel of each letter. */
function lettersOf(line: string): string[] {
  let colours = ''
  const letters: string[] = []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: codes of a terminal
  for (const [, code, letter] of line.matchAll(/\u001b\[([\d;]*)m|(▀)/g)) {
    if (letter) letters.push(colours)
    else colours = code
  }
  return letters
}

const [RED, BLUE, WHITE] = ['255;0;0', '0;0;255', '255;255;255']
const both = (above: string, below: string) => `38;2;${above};48;2;${below}`

test('a letter is two pixels, one above the other', () => {
  const [picture] = drawForTerminal([scene], 4, 10)
  expect(picture.split('\n').map(lettersOf)).toEqual([
    [both(RED, RED), both(RED, RED), both(BLUE, WHITE), both(BLUE, WHITE)],
  ])
})

test('it fits the terminal, whichever way it is too large, and every scene has the same size', () => {
  const round: Scene = { view: [0, 0, 1, 3], shapes: [circle('#00ff00', [0.5, 1.5], 0.4)] }
  const pictures = drawForTerminal([round, { ...round, shapes: [] }], 80, 12)
  const sizes = pictures.map((picture) => picture.split('\n').map((line) => lettersOf(line).length))
  expect(sizes[0].length).toBeLessThanOrEqual(12)
  expect(new Set(sizes[0])).toEqual(new Set([8]))
  expect(sizes[1]).toEqual(sizes[0])
})
