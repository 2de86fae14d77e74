import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-web'

const { model, observations, width } = workerData
const session = await InferenceSession.create(model)
const observation = new Tensor('float32', observations, [observations.length / width, width])
const outputs = await session.run({ observation })
parentPort.postMessage(session.outputNames.map((name) => [name, outputs[name].data]))
