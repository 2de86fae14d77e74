import { report } from './harness.ts'

/** One subject a file; npm run bench -- NAME. */
const suites: Record<string, () => Promise<{ default: () => ReturnType<typeof import('./svpg.ts').default> }>> = {
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
  await report(name, await bench())
}
