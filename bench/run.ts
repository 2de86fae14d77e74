import { isExpected } from '../src/core/errors.ts'
import { type Report, type Row, report } from './harness.ts'

/** One subject a file; npm run bench -- NAME. */
const suites: Record<string, () => Promise<{ default: () => Promise<Row[] | Report> }>> = {
  bnn: () => import('./bnn.ts'),
  checkpoints: () => import('./checkpoints.ts'),
  cluster: () => import('./cluster.ts'),
  compiled: () => import('./compiled.ts'),
  energy: () => import('./energy.ts'),
  'high-dimension': () => import('./high-dimension.ts'),
  envs: () => import('./envs.ts'),
  'first-hour': () => import('./first-hour.ts'),
  networks: () => import('./networks.ts'),
  policy: () => import('./policy.ts'),
  posteriors: () => import('./posteriors.ts'),
  runtimes: () => import('./runtimes.ts'),
  sac: () => import('./sac.ts'),
  stein: () => import('./stein.ts'),
  svpg: () => import('./svpg.ts'),
}

const name = process.argv[2]
if (!Object.hasOwn(suites, name ?? '')) {
  console.error(
    `Usage: npm run bench -- NAME, where NAME is one of ${Object.keys(suites).join(', ')}; got ${name ?? 'nothing'}.`,
  )
  process.exitCode = 1
} else {
  const { default: bench } = await suites[name]()
  try {
    await report(name, await bench())
  } catch (error) {
    if (!isExpected(error)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
