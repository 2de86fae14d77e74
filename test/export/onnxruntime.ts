import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { hasModule, interpreter } from '../left-out.js'
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

export const hasPythonOnnxruntime = hasModule('onnxruntime')

const PROGRAM = `
import base64, json, numpy, onnxruntime, sys
given = json.load(sys.stdin)
session = onnxruntime.InferenceSession(base64.b64decode(given["model"]))
names = [output.name for output in session.get_outputs()]
rows = numpy.array(given["observations"], numpy.float32).reshape(-1, given["width"])
print(json.dumps({name: [list(out.shape), out.ravel().tolist()] for name, out in
                  zip(names, session.run(None, {"observation": rows}))}))`

/** As runOnnx, in Python's onnxruntime, with the shapes of the outputs: of each [shape, numbers]. */
export function runOnnxInPython(
  model: Uint8Array,
  observations: Float32Array,
  width: number,
): Record<string, [shape: number[], values: number[]]> {
  const given = { model: Buffer.from(model).toString('base64'), observations: [...observations], width }
  return JSON.parse(execFileSync(interpreter, ['-c', PROGRAM], { input: JSON.stringify(given), encoding: 'utf8' }))
}
