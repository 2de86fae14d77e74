import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import pc from 'picocolors'
import { type Dataset, datasetFromCsv, datasetFromJson } from '../bayes/dataset.ts'
import { diagnose } from '../bayes/diagnose.ts'
import { type Fit, fitPosterior } from '../bayes/fit.ts'
import type { Model } from '../bayes/model.ts'
import { renderPosterior } from '../bayes/report.ts'
import { drawsToArviz, drawsToCsv, drawsToSafetensors } from '../bayes/save.ts'
import { summary } from '../bayes/summary.ts'
import { UsageError } from '../core/errors.ts'
import { loadModule } from '../envs/description.ts'
import { startTfjs } from '../nn/tfjs.ts'
import { takeLock } from '../train/run.ts'
import { writeTogether } from '../train/run-files.ts'
import { type Interrupt, orStopped } from './interrupt.ts'
import { printLine } from './print.ts'
import { progress } from './progress.ts'
import { directory, number } from './values.ts'

interface CommandOptions {
  data?: string
  out?: string
  particles: number
  iterations: number
  seed: number
  overwrite: boolean
  json: boolean
}

/** A module of the user: a model, or a function of the data that makes one. */
interface ModelModule {
  default?: unknown
  model?: unknown
}

export function fitCommand(): Command {
  return new Command('fit')
    .description('Fit a posterior and write its draws and a report.')
    .argument('<model>', 'a JavaScript module whose default export is a model, or a function (data) => model')
    .option('--data <file>', 'a CSV file with a head, or JSON; handed to the function')
    .option('--out <directory>', 'where to write draws and report (fits/MODEL)', directory)
    .option('--particles <n>', 'draws', number, 100)
    .option('--iterations <n>', 'most steps of SVGD', number, 300)
    .option('--seed <n>', 'same seed, same bytes', number, 0)
    .option('--overwrite', 'replace an earlier fit in that directory', false)
    .option('--json', 'print the summary as JSON lines', false)
    .action(runFit)
}

async function runFit(file: string, options: CommandOptions): Promise<void> {
  const { data, overwrite } = options
  const out = options.out ?? join('fits', basename(file).replace(/\.[^.]+$/, ''))
  const refuse = async () => {
    if (!overwrite && (await exists(join(out, 'report.html'))))
      throw new UsageError(`${out} holds a fit already; take another --out, or --overwrite to replace it.`)
  }
  await refuse()
  await orStopped(options.json, async (interrupt) => {
    await startTfjs()
    const model = await modelFrom(file, data)
    const release = await takeLock(out, 'fit', 'fitted')
    try {
      // Another process may have had it until now.
      await refuse()
      await fitInto(out, model, file, options, interrupt)
    } finally {
      await release()
    }
  })
}

async function fitInto(
  out: string,
  model: Model,
  file: string,
  options: CommandOptions,
  interrupt: Interrupt,
): Promise<void> {
  const { data, particles, iterations, seed, json } = options
  const line = json ? null : progress()
  const start = performance.now()
  let fit: Fit
  try {
    fit = await fitPosterior(model, {
      particles,
      iterations,
      seed,
      signal: interrupt.signal,
      onStep({ iteration, discrepancy, movement }) {
        if (discrepancy !== null)
          line?.update(`step ${iteration} · discrepancy ${discrepancy.toFixed(3)} · moves ${movement.toFixed(3)} sd`)
      },
    })
  } finally {
    line?.stop()
  }
  const seconds = (performance.now() - start) / 1000
  const diagnosis = await diagnose(fit, { restarts: interrupt.requested ? 0 : 1 })
  const title = `Posterior of ${basename(file)}${data ? ` with ${basename(data)}` : ''}`
  const report = await renderPosterior({ ...fit, title, diagnosis, seconds })
  const written = {
    'draws.csv': drawsToCsv(fit),
    'draws.json': JSON.stringify(drawsToArviz(fit)),
    'draws.safetensors': drawsToSafetensors(fit),
    'summary.json': `${JSON.stringify({ summary: summary(fit), diagnosis }, null, 2)}\n`,
    'report.html': report,
  }
  await writeTogether(out, written, 'fit')
  if (json) for (const row of summary(fit)) printLine(row)
  else {
    const row = (name: string, cells: readonly string[]) =>
      console.log(`${name.padEnd(16)} ${cells.map((cell) => cell.padStart(11)).join('')}`)
    row('', ['mean', 'sd', '5 %', '95 %'])
    for (const { name, mean, sd, q5, q95 } of summary(fit))
      row(
        name,
        [mean, sd, q5, q95].map((x) => x.toPrecision(4)),
      )
    const tone = diagnosis.verdict === 'fine' ? pc.green : pc.yellow
    console.log(`${tone(diagnosis.sentence)}\n${fit.reason} Report: ${pc.cyan(join(out, 'report.html'))}`)
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function modelFrom(file: string, data: string | undefined): Promise<Model> {
  if (!(await exists(file))) throw new UsageError(`There is no model at ${file}.`)
  const module = (await loadModule('the model', pathToFileURL(resolve(file)).href)) as ModelModule
  const given = module.default ?? module.model
  if (isModel(given)) return given
  if (typeof given !== 'function')
    throw new UsageError(`${file} must export a model or a function (data) => model by default.`)
  const made: unknown = await given(data ? await datasetFrom(data) : undefined)
  if (!isModel(made)) throw new UsageError(`The function of ${file} must return a model, as model({ … }) makes it.`)
  return made
}

const isModel = (given: unknown): given is Model =>
  typeof given === 'object' && given !== null && 'parameters' in given && 'logDensity' in given

async function datasetFrom(file: string): Promise<Dataset> {
  if (!(await exists(file))) throw new UsageError(`There is no data at ${file}.`)
  const text = await readFile(file, 'utf8')
  return file.endsWith('.json') ? datasetFromJson(text, basename(file)) : datasetFromCsv(text, basename(file))
}
