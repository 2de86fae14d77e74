// Checkpoints that Node has made, which every runtime goes on from: what it comes to, and the checkpoint that it would
// send back, have the bytes of Node's.
import { type AnyTrainOptions, encodeParticles, type TrainOptions, train } from 'steinrl'
import { recorded } from './checkpoints-of-node.ts'
import type { Section } from './sections.ts'

const SMALL = { particles: 3, environments: 4, steps: 64, hidden: [8], iterations: 4, seed: 2 }
const offPolicy = { env: 'Pendulum-v1', hidden: [8], batchSize: 8, warmup: 8, steps: 32, iterations: 4, seed: 1 }

const trainings: Readonly<Record<string, AnyTrainOptions>> = {
  SVPG: { env: 'CartPole-v1', ...SMALL, estimator: 'a2c', criticHidden: [8] },
  SAC: { algorithm: 'sac', ...offPolicy, replaySize: 50 },
  SQL: { algorithm: 'sql', ...offPolicy, particles: 8, valueParticles: 4, replaySize: 50 },
}

/** The checkpoints after two of four iterations, in base64: what checkpoints-of-node.ts is made of. */
export async function makeCheckpoints(): Promise<Record<string, string>> {
  const made: Record<string, string> = {}
  for (const [name, options] of Object.entries(trainings))
    for await (const step of train(options as TrainOptions)) {
      if (step.iteration < 2) continue
      made[name] = btoa(String.fromCharCode(...(await step.checkpoint())))
      break
    }
  return made
}

const bytesOf = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/** What a checkpoint holds but for the seconds that it took and the version that wrote it. */
function stateIn(checkpoint: Uint8Array): Uint8Array[] {
  const length = Number(new DataView(checkpoint.buffer, checkpoint.byteOffset).getBigUint64(0, true))
  const { __metadata__: metadata, ...tensors } = JSON.parse(
    new TextDecoder().decode(checkpoint.subarray(8, 8 + length)),
  )
  const described = new TextEncoder().encode(JSON.stringify({ ...tensors, values: metadata.values }))
  return [described, checkpoint.subarray(8 + length)]
}

/** Goes on for one iteration, hands its checkpoint over, and goes on from that to the end. */
export const checkpointsOfNode: Section = async (core, put) => {
  for (const [name, text] of Object.entries(recorded)) {
    let back = new Uint8Array()
    for await (const step of train({ resume: bytesOf(text), core })) {
      back = new Uint8Array(await step.checkpoint())
      break
    }
    put(`${name}, the checkpoint sent back`, ...stateIn(back))
    for await (const step of train({ resume: back, core })) put(name, encodeParticles(step) as Uint8Array)
    for await (const step of train({ ...trainings[name], core } as TrainOptions))
      if (step.iteration === step.iterations) put(`${name}, not stopped`, encodeParticles(step) as Uint8Array)
  }
}
