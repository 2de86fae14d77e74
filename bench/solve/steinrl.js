// A fresh process of the built package trains until the policy that it would choose has solved the task; see
// bench/solve.ts. The clock of the process began when it was started, and stands still while a policy is evaluated.
const { began, env, settings, checkEvery, episodes, goal } = JSON.parse(process.argv[2])
const { evaluate, train } = await import('../../dist/index.js')

/** Seconds of the processor, which other programs do not disturb. */
const processor = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6

let evaluating = 0
let evaluatingProcessor = 0
let checked = 0
let found = null
for await (const { iteration, iterations, metrics, agents } of train({ env, ...settings })) {
  if (metrics.transitions < checked + checkEvery && iteration < iterations) continue
  checked = metrics.transitions
  const now = Date.now()
  const seconds = (now - began) / 1000 - evaluating
  const before = processor()
  // Of several policies the one that did best in training: none is chosen by what is measured here.
  const { policy, theta, best } = agents()
  const first = (best ?? 0) * policy.size
  const row = theta.slice(first, first + policy.size)
  const { greedy } = await evaluate({ env, agents: { policy, theta: row, particles: 1 }, episodes, seed: checked })
  evaluating += (Date.now() - now) / 1000
  const [meanReturn] = greedy
  const of = { seconds, processor: before - evaluatingProcessor, evaluating }
  found = { ...of, transitions: checked, meanReturn, isSolved: meanReturn >= goal }
  evaluatingProcessor += processor() - before
  if (found.isSolved) break
}
console.log(JSON.stringify({ ...found, versions: { node: process.versions.node } }))
