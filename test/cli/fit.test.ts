import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { decodeTensors } from '../../src/core/safetensors.ts'
import { contents, type Ended, inTemporaryDirectory, lines, run, start, until } from './steinrl.ts'

const bayes = new URL('../../dist/bayes.js', import.meta.url).href
const read = (...path: string[]) => readFile(join(...path), 'utf8')

/** A straight line through columns x and y of the data. */
const LINE = `import { logp, model, positive, real, tf } from '${bayes}'
export default ({ x, y }) => model({
  parameters: { a: real(), b: real(), sigma: positive() },
  logDensity: ({ a, b, sigma }) => [
    logp.normal(a, 0, 10),
    logp.normal(b, 0, 10),
    logp.exponential(sigma, 1),
    logp.normal(tf.tensor1d(y), tf.add(a, tf.mul(b, tf.tensor1d(x))), sigma),
  ],
})`
/** y = 1 + 2x and ±0.5 by turns. */
const DATA = [
  'x,y,label',
  ...Array.from({ length: 40 }, (_, i) => `${i / 10},${1 + i / 5 + (i % 2) - 0.5},row${i}`),
].join('\n')

const withLine = (use: (directory: string) => Promise<void>, model = LINE, data = DATA) =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'line.mjs'), model)
    await writeFile(join(directory, 'line.csv'), data)
    await use(directory)
  })
const fitLine = (directory: string, ...args: string[]) =>
  run(directory, 'fit', 'line.mjs', '--data', 'line.csv', ...args)

const FILES = ['draws.csv', 'draws.json', 'draws.safetensors', 'report.html', 'summary.json']

test('a fit writes its draws, a summary and a report, and says how it went', () =>
  withLine(async (directory) => {
    const { code, stdout } = await fitLine(directory, '--out', 'out', '--particles', '40')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +mean +sd +5 % +95 %$/m)
    expect(stdout).toMatch(/^a +(1\.0|0\.9)/m)
    expect(stdout).toMatch(/^b +(2\.0|1\.9)/m)
    expect(stdout).toContain('Fine: a walk from the particles moves means by no more than 0.0')
    expect(stdout).toContain('Report: out/report.html')
    expect((await readdir(join(directory, 'out'))).sort()).toEqual(FILES)
    const csv = lines(await read(directory, 'out', 'draws.csv'))
    expect(csv[0]).toBe('a,b,sigma')
    expect(csv).toHaveLength(41)
    const { tensors } = decodeTensors(await readFile(join(directory, 'out', 'draws.safetensors')))
    expect([...tensors.b.data].map(String)).toEqual(csv.slice(1).map((line) => line.split(',')[1]))
    const { posterior } = JSON.parse(await read(directory, 'out', 'draws.json'))
    expect(posterior.b).toEqual([csv.slice(1).map((line) => Number(line.split(',')[1]))])
    const { summary, diagnosis } = JSON.parse(await read(directory, 'out', 'summary.json'))
    expect(summary.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'sigma'])
    expect(diagnosis.verdict).toBe('fine')
    expect(await read(directory, 'out', 'report.html')).toContain('Posterior of line.mjs with line.csv')

    // What is there stays as it is, unless asked to go.
    const before = await contents(directory)
    const again = await fitLine(directory, '--out', 'out', '--seed', '1')
    expectRefusal(again, 'out holds a fit already')
    expect(await contents(directory)).toEqual(before)
    const other = await fitLine(directory, '--out', 'out', '--overwrite', '--particles', '40', '--json')
    expect(other.code).toBe(0)
    expect(lines(other.stdout).map((line) => JSON.parse(line).name)).toEqual(['a', 'b', 'sigma'])
    // The same seed makes the same bytes.
    expect((await contents(directory))['out/draws.csv']).toEqual(before['out/draws.csv'])
  }))

test('the example of eight schools reads its data by name', () =>
  inTemporaryDirectory(async (directory) => {
    const example = (name: string) => fileURLToPath(new URL(`../../examples/posteriors/${name}`, import.meta.url))
    const text = (await readFile(example('eight-schools.js'), 'utf8')).replace("'steinrl/bayes'", `'${bayes}'`)
    await writeFile(join(directory, 'schools.mjs'), text)
    const { code, stdout } = await run(
      directory,
      ...['fit', 'schools.mjs', '--data', example('eight-schools.csv'), '--particles', '30', '--iterations', '20'],
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^theta\[7\] /m)
    expect((await readdir(join(directory, 'fits', 'schools'))).sort()).toEqual(FILES)
  }))

test('Ctrl-C stops a fit, which keeps and shows what there is', () =>
  withLine(
    async (directory) => {
      const args = ['fit', 'line.mjs', '--data', 'line.csv', '--out', 'out', '--particles', '20']
      const { child, output, ended } = start(directory, args)
      await until('the first step', () => /step \d+ · discrepancy/.test(output.stderr))
      child.kill('SIGINT')
      const { code, stdout } = await ended
      expect(code).toBe(130)
      expect(stdout).toMatch(/It was stopped by hand after step \d+\./)
      expect((await readdir(join(directory, 'out'))).sort()).toEqual(FILES)
      expect(lines(await read(directory, 'out', 'draws.csv'))).toHaveLength(21)
    },
    // A density so slow that the signal comes before the end.
    LINE.replace('=> [', '=> { const end = performance.now() + 20; while (performance.now() < end); return [').replace(
      /\],\n}\)$/,
      ']}\n})',
    ),
  ))

describe('what cannot be fitted is refused in one line, and nothing is written', () => {
  const rows = DATA.split('\n')
  const cases: readonly (readonly [
    what: string,
    message: string,
    files: { model?: string; data?: string },
    args?: string[],
  ])[] = [
    ['a column that is missing', 'line.csv has no x; it has t, y, label.', { data: DATA.replace('x,y', 't,y') }],
    [
      'a value that is not finite',
      'Row 7 of y in line.csv is "NaN"; it must be a finite number.',
      { data: rows.map((row, i) => (i === 7 ? row.replace(/,[^,]+,/, ',NaN,') : row)).join('\n') },
    ],
    [
      'collinear columns',
      'The posterior has no information about 1.0 b − 1.0 c: the log density does not fall along it.',
      {
        model: LINE.replace('b: real(),', 'b: real(), c: real(),')
          .replaceAll('{ a, b, sigma }', '{ a, b, c, sigma }')
          .replace('logp.normal(b, 0, 10),', '')
          .replace('tf.mul(b,', 'tf.mul(tf.add(b, c),'),
      },
    ],
    [
      'a model that is none',
      'line.mjs must export a model or a function (data) => model',
      { model: 'export default 3' },
    ],
    [
      'a model with something that no model has',
      'A model has no option "generate"; the nearest is generated.',
      { model: LINE.replace('=> model({', '=> ({ generate: () => ({}), ...model({').replace(/\}\)$/, '})})') },
    ],
    [
      'a model whose package is not there',
      "of the model cannot be loaded: Cannot find package 'no-package'",
      { model: "import 'no-package'\nexport default {}" },
    ],
    ['a model that throws as it is loaded', 'cannot be loaded: one two.', { model: "throw new Error('one\\ntwo')" }],
    ['data that are not there', 'There is no data at no.csv.', {}, ['--data', 'no.csv']],
    ['too few particles', 'particles must be a whole number', {}, ['--particles', '1']],
  ]
  test.each(cases)('%s', (_, message, { model, data }, args = []) =>
    withLine(
      async (directory) => {
        expectRefusal(await fitLine(directory, ...args), message)
        expect((await readdir(directory)).sort()).toEqual(['line.csv', 'line.mjs'])
      },
      model,
      data,
    ),
  )
})

function expectRefusal({ code, stdout, stderr }: Ended, message: string): void {
  expect(stderr).toContain(message)
  expect([code, stdout, lines(stderr).length]).toEqual([1, '', 1])
}
