// The run of this tab in the browser's storage, so that a tab that is loaded again goes on with it.
import { type AnyTrainStep, type IterationMetrics, train } from 'steinrl'
import { type CheckpointStore, openCheckpointStore } from 'steinrl/tools'

/** Runs of other tabs that are kept, perhaps for tabs that are opened again. */
const OTHERS = 4
/** A run is kept at most this often, and for at most a twentieth of its time. */
const KEEP_EVERY_MS = 1000
const SHARE = 20

const metricsOf = (name: string) => `${name} metrics`

/** What is kept of a run, and what goes on from it. */
export interface Kept {
  /** The steps of a run that goes on, and what it has done before; null where nothing is kept. */
  steps(more: object): Promise<{ steps: AsyncGenerator<AnyTrainStep>; before: IterationMetrics[] } | null>
  /** Keeps a run as it is after a step, if it is time to; a run that is over is not kept. */
  keep(step: AnyTrainStep, isResting: boolean): Promise<void>
}

/**
 * @param before metrics of the iterations done, to which those of each step are added
 */
export async function keptRun(name: string, before: IterationMetrics[]): Promise<Kept | null> {
  // Without storage, as in some private windows, a run ends with its page.
  const store = await openCheckpointStore('steinrl-playground').catch(() => null)
  if (!store) return null
  await removeOthers(store, name)
  let keptAt = performance.now()
  let cost = 0
  return {
    async steps(more) {
      const [bytes, lines] = [await store.get(name), await store.get(metricsOf(name))]
      if (!bytes || !lines) return null
      const metrics: IterationMetrics[] = JSON.parse(new TextDecoder().decode(lines))
      return { steps: train({ ...more, resume: bytes }), before: metrics }
    },
    async keep(step, isResting) {
      if (step.iteration === step.iterations) return store.remove(name, metricsOf(name))
      const started = performance.now()
      if (!isResting && started - keptAt < Math.max(KEEP_EVERY_MS, SHARE * cost)) return
      const text = JSON.stringify(before)
      const files = { [name]: await step.checkpoint(), [metricsOf(name)]: new TextEncoder().encode(text) }
      // A browser without room keeps what it has; the run itself goes on.
      await store.put(files).catch((error: Error) => console.info(error.message))
      keptAt = performance.now()
      cost = keptAt - started
    },
  }
}

/** Names begin with the time of the tab. */
async function removeOthers(store: CheckpointStore, name: string): Promise<void> {
  const names = await store.names()
  const runs = names.filter((one) => one !== name && names.includes(metricsOf(one)))
  for (const old of runs.slice(0, -OTHERS)) await store.remove(old, metricsOf(old))
}
