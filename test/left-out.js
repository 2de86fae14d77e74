import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** The Python that tests of tasks in Python take. */
export const interpreter = process.env.PYTHON || 'python3'

export const hasModule = (name) => spawnSync(interpreter, ['-c', `import ${name}`]).status === 0

/** At the end of the tests: what they have left out, because it is not installed. */
export default function tellLeftOut() {
  const folder = new URL('browser/', import.meta.url)
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  const used = ['@arethetypeswrong/cli', 'bun', 'deno', 'miniflare', 'onnxruntime-web', 'workerd']
  const missing = used.filter((name) => dependencies[name] && !existsSync(new URL(`node_modules/${name}`, folder)))
  if (!hasModule('gymnasium'))
    console.log(`\nLeft out: the tests of tasks in Python; ${interpreter} has no gymnasium (PYTHON names another one).`)
  if (!hasModule('tensorboard'))
    console.log(`\nLeft out: reading event files with tensorboard; ${interpreter} has none.`)
  if (!hasModule('mlflow'))
    console.log(`\nLeft out: a real server of MLflow (pip install mlflow); ${interpreter} has none.`)
  if (!hasModule('rliable.library'))
    console.log(`\nLeft out: new scores beside rliable (pip install rliable 'pandas<3'); ${interpreter} has none.`)
  if (missing.length === 0) return
  console.log(`\nLeft out: the tests with ${missing.join(', ')}. \`npm run test:install\` fetches them (0.8 GB).`)
}
