import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { leaveIfAborted, requireSignal, requireText } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, seedSchema, trueOrFalse } from '../core/schemas.ts'
import type { Scene } from '../envs/render.ts'
import { drawAnimation, refuseSpeed } from '../play/animation.ts'
import { type Episode, type PlayedEpisode, playEpisode } from '../play/episode.ts'
import { drawGif } from '../play/gif.ts'
import { drawPlayer } from '../play/player.ts'
import { populationScenes } from '../play/side-by-side.ts'
import type { Agents } from '../rl/agents.ts'
import { evaluationOf, loadAgents } from '../train/run-directory.ts'
import { writing } from '../train/run-files.ts'

/** Who of a run plays an episode, and where it is written. */
export interface PlayRunOptions {
  /** The directory of the run. */
  readonly run: string
  /** What to write; its ending tells how. Default: nothing. */
  readonly out?: string
  /**
   * The best of the evaluation or, without one, of the training (default); the lower median of the evaluation; a
   * number; or all, side by side.
   */
  readonly particle?: number | 'best' | 'median' | 'all'
  /** The best action that is known (default), or one drawn. */
  readonly greedy?: boolean
  /** Of the initial state and of what is drawn; default 0. */
  readonly seed?: number
  /** Scenes a second, from 1 to 50; default 30. */
  readonly framesPerSecond?: number
  /** Whether `out` may exist. Default false. */
  readonly overwrite?: boolean
  /** As of an AbortController: it is left before anything is written, and rejects with its reason. */
  readonly signal?: StopSignal
}

/** Episodes as a .json file holds them. */
export interface EpisodesFile {
  readonly format: 'steinrl-episodes'
  readonly version: 1
  /** The id of the task. */
  readonly task: string
  readonly episodes: readonly Episode[]
}

const PLAY_OPTIONS = namesOf<PlayRunOptions>({
  ...{ run: true, out: true, particle: true, greedy: true, seed: true, framesPerSecond: true, overwrite: true },
  ...{ signal: true },
})

const { files } = platform

/** @param isOne whether the run has one policy, which has no number then */
type Content = (
  task: string,
  played: readonly PlayedEpisode[],
  framesPerSecond: number,
  isOne: boolean,
) => string | Uint8Array

/** What is written, by the ending of the file. */
const contents: Readonly<Record<string, Content>> = {
  json(task, played) {
    const episodes = played.map(({ episode }) => episode)
    return `${JSON.stringify({ format: 'steinrl-episodes', version: 1, task, episodes } satisfies EpisodesFile)}\n`
  },
  gif: (task, played, framesPerSecond) => drawGif(populationScenes(scenesOf(task, played)), { framesPerSecond }),
  svg: (task, played, framesPerSecond) => drawAnimation(populationScenes(scenesOf(task, played)), { framesPerSecond }),
  html(task, played, framesPerSecond, isOne) {
    const shown = scenesOf(task, played).map((scenes, k) => ({ scenes, caption: captionOf(played[k].episode, isOne) }))
    return drawPlayer(task, shown, framesPerSecond)
  },
}

const captionOf = ({ particle, return: total, rewards }: Episode, isOne: boolean) =>
  `${isOne ? 'The policy' : `Particle ${particle}`}: return ${Number(total.toFixed(1))} in ${rewards.length} steps`

/** What playRun() has played. */
export interface PlayedRun {
  readonly episodes: readonly Episode[]
  /** The pictures, of several particles side by side; null for a task without any. */
  readonly scenes: readonly Scene[] | null
  /** Of the run. */
  readonly particles: number
}

/**
 * Plays one episode of a particle of a run, or of each side by side, and writes it: as data, as an animated picture or
 * as a page that plays it.
 *
 * @returns the episodes, their pictures, and how many particles the run has
 * @throws UsageError for what is no run, a particle that it does not have, an unknown ending, a task without a picture
 *   where one is asked for, and when `out` exists; StorageError where it cannot be written
 */
export async function playRun(options: PlayRunOptions): Promise<PlayedRun> {
  requireOptions('playRun', options, PLAY_OPTIONS)
  const { run, out, particle = 'best', greedy, seed = 0, framesPerSecond = 30, overwrite = false, signal } = options
  const content = out === undefined ? null : contentOf(out)
  requireText('playRun', 'the directory of a run, run', run)
  check(seedSchema, seed)
  check(trueOrFalse('overwrite'), overwrite)
  refuseSpeed(framesPerSecond)
  requireSignal(signal)
  if (out !== undefined && !overwrite && (await files.exists(out)))
    throw new UsageError(`${show(out)} exists; choose another --out, or --overwrite it.`)
  const agents = await loadAgents(run)
  const { id } = agents.task as NonNullable<Agents['task']>
  const played: PlayedEpisode[] = []
  for (const each of await particlesOf(run, agents, particle))
    played.push(await playEpisode({ agents, particle: each, greedy, seed, signal }))
  if (content && out !== undefined) {
    const written = content(id, played, framesPerSecond, agents.particles === 1)
    // One that came while it was drawn is only seen after a turn.
    await platform.breathe()
    leaveIfAborted(signal)
    await writing(out, () => files.write(out, written), 'episode')
  }
  return {
    episodes: played.map(({ episode }) => episode),
    scenes: played.every(({ scenes }) => scenes) ? populationScenes(scenesOf(id, played)) : null,
    particles: agents.particles,
  }
}

function contentOf(out: string): Content {
  requireText('playRun', 'the file to write, out', out)
  const ending = /\.(\w+)$/.exec(out)?.[1] ?? ''
  if (Object.hasOwn(contents, ending)) return contents[ending]
  const known = Object.keys(contents).map((name) => `.${name}`)
  throw new UsageError(`What is written must end with ${known.join(', ')}, got ${show(out)}.`)
}

async function particlesOf(
  run: string,
  agents: Agents,
  particle: number | 'best' | 'median' | 'all',
): Promise<readonly (number | 'best')[]> {
  const { particles } = agents
  if (particle === 'all') return Array.from({ length: particles }, (_, k) => k)
  if (particle === 'median') return [await medianParticle(run, particles)]
  if (particle === 'best' || (Number.isInteger(particle) && particle >= 0 && particle < particles)) return [particle]
  throw new UsageError(
    `particle must be best, median, all or a number from 0 to ${particles - 1}, got ${show(particle)}.`,
  )
}

/** The particle of the median mean return, acting greedily; of an even number the lower one. */
async function medianParticle(run: string, particles: number): Promise<number> {
  if (particles === 1) return 0
  const evaluation = await evaluationOf(run, particles)
  if (!evaluation)
    throw new UsageError(`${show(run)} has no evaluation.json, which tells the median: run steinrl eval first.`)
  const { greedy } = evaluation
  const ordered = greedy.map((_, k) => k).sort((a, b) => greedy[a] - greedy[b] || a - b)
  return ordered[Math.ceil(particles / 2) - 1]
}

function scenesOf(task: string, played: readonly PlayedEpisode[]): readonly (readonly Scene[])[] {
  return played.map(({ scenes }) => {
    if (scenes) return scenes
    throw new UsageError(`${task} has no picture, as its description has no render: write a .json.`)
  })
}
