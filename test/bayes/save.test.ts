import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import type { Draw, Draws } from '../../src/bayes/draws.ts'
import { drawsToArviz, drawsToCsv, drawsToSafetensors } from '../../src/bayes/save.ts'
import { summary } from '../../src/bayes/summary.ts'
import { decodeTensors } from '../../src/core/safetensors.ts'

/** Three draws of a number, of two numbers, and of a matrix. */
const draws: Draws = {
  mu: { shape: [], data: Float32Array.of(1, 2, 3.5) },
  theta: { shape: [2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  L: { shape: [2, 2], data: Float32Array.from({ length: 12 }, (_, k) => k) },
}

test('CSV has a column for every number, with quotes where a label has a comma', () => {
  expect(drawsToCsv({ draws }).split('\n')).toEqual([
    'mu,theta[0],theta[1],"L[0,0]","L[0,1]","L[1,0]","L[1,1]"',
    '1,1,2,0,1,2,3',
    '2,3,4,4,5,6,7',
    '3.5,5,6,8,9,10,11',
    '',
  ])
})

test('arrays for ArviZ are [1 chain, draws, …shape]', () => {
  expect(drawsToArviz({ draws })).toEqual({
    posterior: {
      mu: [[1, 2, 3.5]],
      theta: [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ],
      L: [
        [
          [
            [0, 1],
            [2, 3],
          ],
          [
            [4, 5],
            [6, 7],
          ],
          [
            [8, 9],
            [10, 11],
          ],
        ],
      ],
    },
  })
})

test('safetensors has a tensor [draws, …shape] for each name', () => {
  const { tensors } = decodeTensors(drawsToSafetensors({ draws }))
  expect(Object.entries(tensors).map(([name, { shape }]) => [name, shape])).toEqual(
    expect.arrayContaining([
      ['mu', [3]],
      ['theta', [3, 2]],
      ['L', [3, 2, 2]],
    ]),
  )
  expect([...tensors.L.data]).toEqual([...draws.L.data])
})

const python = (program: string, input = '') => spawnSync('python3', ['-c', program], { input, encoding: 'utf8' })
const hasArviz = python('from arviz_base import from_dict').status === 0

;(hasArviz ? test : test.skip)('from_dict of ArviZ takes the arrays of the JSON', () => {
  const program = `
import json, sys
import numpy
from arviz_base import from_dict
draws = json.load(sys.stdin)['posterior']
posterior = from_dict({'posterior': {name: numpy.asarray(values) for name, values in draws.items()}})['posterior'].dataset
print(json.dumps({name: [list(array.dims)[:2], list(array.shape), float(array.mean())] for name, array in posterior.items()}))`
  const { stdout, stderr } = python(program, JSON.stringify(drawsToArviz({ draws })))
  expect([stderr.includes('Error'), JSON.parse(stdout)]).toEqual([
    false,
    {
      mu: [['chain', 'draw'], [1, 3], expect.closeTo(6.5 / 3, 5)],
      theta: [['chain', 'draw'], [1, 3, 2], 3.5],
      L: [['chain', 'draw'], [1, 3, 2, 2], 5.5],
    },
  ])
})

test('a label with quotes or a line break is one cell of the head', () => {
  const head = drawsToCsv({ draws: { 'the "true"\nmean': { shape: [], data: Float32Array.of(1) } } })
  expect(head).toBe('"the ""true""\nmean"\n1\n')
})

test('draws that do not go together are refused by name, and plain lists are taken', () => {
  const one = { shape: [], data: Float32Array.of(1, 2, 3) }
  const five = { shape: [], data: Float32Array.of(1, 2, 3, 4, 5) }
  for (const write of [drawsToCsv, drawsToArviz, drawsToSafetensors, summary]) {
    expect(() => write({ draws: { mu: one, tau: five } })).toThrow(
      /takes as many draws of each quantity, got 3 of mu and 5 of tau\./,
    )
    expect(() => write({ draws: { mu: { ...one, shape: [2] } } })).toThrow(
      'The 3 numbers of mu are no draws of the shape [2].',
    )
    expect(() => write({ draws: { mu: { ...one, shape: [0] } } })).toThrow('are no draws of the shape [0].')
  }
  const list = { shape: [], data: [1, 2, 3] } as unknown as Draw
  expect(drawsToSafetensors({ draws: { mu: list } })).toEqual(drawsToSafetensors({ draws: { mu: one } }))
})

test('a draw that is NaN makes all statistics NaN, as in numpy and ArviZ', () => {
  const [{ mean, sd, q5, median, q95, hpdi }] = summary({
    draws: { x: { shape: [], data: Float32Array.of(1, 2, Number.NaN, 4) } },
  })
  expect([mean, sd, q5, median, q95, ...hpdi]).toEqual(Array(7).fill(Number.NaN))
})
