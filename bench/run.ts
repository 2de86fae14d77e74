import { cpus, loadavg } from 'node:os'
import { isExpected } from '../src/core/errors.ts'
import { type Report, type Row, report, warnOfBusyMachine } from './harness.ts'

/** Measures; those that take options are given what stands behind their name. */
type Bench = (args: readonly string[]) => Promise<Row[] | Report>

/** One subject a file; npm run bench -- NAME. */
const suites: Record<string, () => Promise<{ default: Bench }>> = {
  bnn: () => import('./bnn.ts'),
  bridge: () => import('./bridge.ts'),
  checkpoints: () => import('./checkpoints.ts'),
  cluster: () => import('./cluster.ts'),
  compiled: () => import('./compiled.ts'),
  daily: () => import('./daily.ts'),
  energy: () => import('./energy.ts'),
  'high-dimension': () => import('./high-dimension.ts'),
  envs: () => import('./envs.ts'),
  'first-hour': () => import('./first-hour.ts'),
  networks: () => import('./networks.ts'),
  policy: () => import('./policy.ts'),
  posteriors: () => import('./posteriors.ts'),
  presets: () => import('./presets.ts'),
  runtimes: () => import('./runtimes.ts'),
  sac: () => import('./sac.ts'),
  solve: () => import('./solve.ts'),
  stein: () => import('./stein.ts'),
  svpg: () => import('./svpg.ts'),
}

const [name, ...flags] = process.argv.slice(2)
const options = flags.filter((flag) => flag !== '--record')
const bench = Object.hasOwn(suites, name ?? '') ? (await suites[name]()).default : null
const isKnown = bench !== null && (options.length === 0 || bench.length > 0)
if (!isKnown) {
  console.error(
    `Usage: npm run bench -- NAME [--record], where --record writes bench/results/NAME.json and NAME is one of\n` +
      `${Object.keys(suites).join(', ')}; got ${bench ? options[0] : (name ?? 'nothing')}.`,
  )
  process.exitCode = 1
} else {
  const warning = warnOfBusyMachine(loadavg()[0], cpus().length)
  if (warning) console.error(warning)
  try {
    await report(name, await bench(options), flags.includes('--record'))
  } catch (error) {
    if (!isExpected(error)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
