import { type IterationMetrics, RunError, type TrainOptions, type TrainStep, train, UsageError } from 'steinrl'

/** What the worker posts. */
export type Message =
  | { kind: 'iteration'; metrics: IterationMetrics; iterations: number; theta: string | null }
  | { kind: 'end' }
  | { kind: 'error'; message: string }

const post = (message: Message) => self.postMessage(message)

self.onmessage = async ({ data }: MessageEvent<TrainOptions>) => {
  try {
    const options: TrainOptions = { ...data, workers: data.workers ?? 'auto' }
    for await (const { metrics, iterations, state } of train(options)) {
      post({ kind: 'iteration', metrics, iterations, theta: await fingerprint(state) })
    }
    post({ kind: 'end' })
  } catch (error) {
    post({ kind: 'error', message: describe(error) })
  }
}

/** SHA-256 of the particles in hex; null where the browser has no crypto.subtle (http other than localhost). */
async function fingerprint({ arena }: TrainStep['state']): Promise<string | null> {
  if (!self.isSecureContext) return null
  const hash = await crypto.subtle.digest('SHA-256', arena.view.theta as Float32Array<ArrayBuffer>)
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The library's own sentences stand as they are; anything else is named as unexpected. */
function describe(error: unknown): string {
  if (error instanceof UsageError || error instanceof RunError) return error.message
  return `Training failed: ${error instanceof Error ? error.message : String(error)}`
}
