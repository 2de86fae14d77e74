import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { hasNested } from '../nested.ts'

export const hasOnnxruntime = hasNested('onnxruntime-web')

/**
 * The outputs of a model, by name, for observations [rows, width]. In a thread of its own: onnxruntime refuses the
 * arrays that Jest gives its tests.
 */
export async function runOnnx(
  model: Uint8Array,
  observations: Float32Array,
  width: number,
): Promise<Record<string, ArrayLike<number>>> {
  const worker = new Worker(new URL('../browser/onnxruntime-worker.js', import.meta.url), {
    workerData: { model, observations, width },
    execArgv: [],
  })
  const [outputs] = await once(worker, 'message')
  await worker.terminate()
  return Object.fromEntries(outputs)
}
