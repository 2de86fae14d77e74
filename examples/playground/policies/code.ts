import { type AlgorithmName, algorithms } from 'steinrl'
import { literal } from '../shared/source.ts'

/** The program that trains as the page does, to the same bits, and evaluates what it has trained. */
export function policiesCode({ env, algorithm, workers: _, ...options }: Readonly<Record<string, unknown>>): string {
  const settings: Readonly<Record<string, object>> = algorithms[algorithm as AlgorithmName].settings
  const defaultOf = (name: string) => (settings[name] as { default?: unknown } | undefined)?.default
  // What is the default anyway is left out.
  const told = Object.entries(options).filter(
    ([name, value]) => JSON.stringify(defaultOf(name)) !== JSON.stringify(value),
  )
  return `import { evaluate, train } from 'steinrl'

const env = ${literal(env)}
const steps = train({
  env,
  algorithm: ${literal(algorithm)},
${told.map(([name, value]) => `  ${name}: ${literal(value)},\n`).join('')}})
for await (const { iteration, iterations, metrics, agents } of steps) {
  console.log(\`\${iteration} of \${iterations}: best return \${metrics.best}, median \${metrics.median}\`)
  if (iteration < iterations) continue
  const { greedy } = await evaluate({ env, agents: agents(), episodes: 20 })
  console.log('mean return of each policy, acting greedily:', ...greedy)
}
`
}
