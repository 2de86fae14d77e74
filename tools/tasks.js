// Writes docs/tasks.md and the pictures in docs/images/tasks/ from the tasks of the built package: npm run docs:tasks.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TABLE = /<!-- tasks -->\n[\s\S]*<!-- end of tasks -->/

/** What presets reach, mean of greedy evaluations over seeds; docs/presets.md has each of them. */
const REACHED = {
  'CartPole-v1': '500 `svpg`, 500 `a2c`',
  'Acrobot-v1': '−81 `svpg`, −82 `a2c`',
  'LunarLander-v3': '267 `ppo`',
  'Pendulum-v1': '−149 `sac`, −159 `svpg`',
  'MountainCarContinuous-v0': '95 `svpg`, 94 `ppo`',
}

/** Where the rules of a task stand; the others are in environments.md. */
const PAGES = [
  [/Lunar|Bipedal/, 'box2d.md'],
  [/^(Rllab|CartpoleSwingup|DoublePendulum)/, 'rllab.md'],
]

const pageOf = (id, isRobot) =>
  isRobot ? 'mujoco.md' : (PAGES.find(([known]) => known.test(id))?.[1] ?? 'environments.md')

const number = (x) => (Number.isFinite(x) ? String(Number(x.toFixed(3))).replace('-', '−') : x < 0 ? '−∞' : '∞')

/** A space in a cell of the table. */
export function spaceText({ kind, n, low, high }) {
  if (kind === 'discrete') return `one of ${n}`
  if (kind === 'multi-binary') return `${n} of 2`
  if (kind === 'multi-discrete') return `of ${n.join(', ')}`
  const same = (bounds) => bounds.every((x) => x === bounds[0])
  if (!same(low) || !same(high)) return `${low.length}`
  return low[0] === -Infinity && high[0] === Infinity
    ? `${low.length}`
    : `${low.length} in [${number(low[0])}, ${number(high[0])}]`
}

/** The text with its table written anew; a task has a picture where it draws itself. */
export function withTasks(text, specs, isRobot) {
  const rows = specs.map((spec) => {
    const { id, observationSpace, actionSpace, maxEpisodeSteps, rewardThreshold, render } = spec
    const picture = render ? `![${id}](images/tasks/${id}.svg)` : ''
    const cells = [
      ...[picture, `[\`${id}\`](${pageOf(id, isRobot(id))})`, spaceText(observationSpace), spaceText(actionSpace)],
      ...[`${maxEpisodeSteps}`, rewardThreshold === undefined ? '' : number(rewardThreshold), REACHED[id] ?? ''],
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = [
    '|  | id | observation | actions | limit | solved at | reached |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  return text.replace(TABLE, `<!-- tasks -->\n\n${[...head, ...rows].join('\n')}\n\n<!-- end of tasks -->`)
}

/** A task after some steps of random actions. */
async function pictureOf(spec, { make, sampler, drawSvg }) {
  const env = await make(spec)
  const sample = sampler(spec.actionSpace, 3)
  env.reset({ seed: 3 })
  for (let step = 0; step < 12; step++) {
    const { terminated, truncated } = env.step(sample())
    if (terminated || truncated) env.reset({ seed: 3 })
  }
  const svg = drawSvg(env.render(), { width: 160 }).replace('>', `>\n<title>${spec.id}</title>`)
  env.close()
  return svg
}

/** Every task that runs by its id without Python. */
export async function everyTask() {
  const { environments, box2d } = await import('../dist/envs.js')
  const { box2dIds } = await import('../dist/envs/box2d.js')
  const { mujoco, mujocoIds, isMujocoId } = await import('../dist/envs/mujoco.js')
  const specs = Object.values(environments)
  for (const id of box2dIds) specs.push(await box2d(id))
  for (const id of mujocoIds) specs.push(await mujoco(id))
  return { specs, isMujocoId }
}

async function write() {
  const library = await import('../dist/index.js')
  const { specs, isMujocoId } = await everyTask()
  const folder = new URL('../docs/images/tasks/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const spec of specs)
    if (spec.render) writeFileSync(new URL(`${spec.id}.svg`, folder), `${await pictureOf(spec, library)}\n`)
  const file = new URL('../docs/tasks.md', import.meta.url)
  writeFileSync(file, withTasks(readFileSync(file, 'utf8'), specs, isMujocoId))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write()
