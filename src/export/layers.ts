import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { beginTfjs, tf } from '../nn/tfjs.ts'
import { type DensePart, hasBounds, LOG_STD_RANGE, type Parts, partsOf, type SinglePolicy } from './parts.ts'

/** The two files of a layers model of TensorFlow.js. */
export interface LayersModelFiles {
  /** model.json, which names weights.bin. */
  readonly model: string
  readonly weights: Uint8Array
}

/**
 * A policy as a layers model of TensorFlow.js, of its standard layers alone, for tf.loadLayersModel(). Input:
 * observation [rows, O]. Outputs: logits [rows, classes]; or, in this order, action (the mode as the task takes it),
 * mean and log_std, of the Gaussian before it is squashed, [rows, A] each.
 *
 * @throws UsageError for a squashed Gaussian without bounds
 */
export async function layersModel(single: SinglePolicy): Promise<LayersModelFiles> {
  await beginTfjs()
  const built = build(single)
  try {
    let files: LayersModelFiles | undefined
    await built.save(
      tf.io.withSaveHandler(async (artifacts) => {
        files = filesOf(artifacts)
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      }),
    )
    return files as LayersModelFiles
  } finally {
    built.dispose()
  }
}

function filesOf({
  modelTopology,
  weightSpecs,
  weightData,
  format,
  generatedBy,
}: tf.io.ModelArtifacts): LayersModelFiles {
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
  return {
    model: `${JSON.stringify({ format, generatedBy, convertedBy: null, modelTopology, weightsManifest })}\n`,
    weights: new Uint8Array(weightData as ArrayBuffer),
  }
}

function build(single: SinglePolicy): LayersModel {
  const parts = partsOf('layersModel', single)
  const observation = input({ shape: [single.policy.observations], name: 'observation' })
  const last = parts.hidden.reduce(dense, normalised(observation, single))
  const first = dense(last, parts.heads[0])
  if (parts.heads[0].name === 'logits') return model({ inputs: observation, outputs: first })
  const outputs = parts.logStd
    ? [
        hasBounds(parts)
          ? clipped(observation, first, 'action', parts.low, parts.high)
          : applied(layers.activation({ name: 'action', activation: 'linear' }), first),
        first,
        constant(observation, 'log_std', parts.logStd),
      ]
    : [rescaled(first, parts), first, clippedLogStd(observation, last, parts.heads[1])]
  return model({ inputs: observation, outputs })
}

/** The outputs of a new layer with these weights. */
function applied(layer: layers.Layer, x: SymbolicTensor | SymbolicTensor[], weights: [Float32Array, number[]][] = []) {
  const y = layer.apply(x) as SymbolicTensor
  tf.tidy(() => layer.setWeights(weights.map(([values, shape]) => tf.tensor(values, shape))))
  return y
}

function dense(x: SymbolicTensor, { name, inputs, outputs, kernel, bias, activation }: DensePart): SymbolicTensor {
  const layer = layers.dense({ units: outputs, activation, name, kernelInitializer: 'zeros' })
  return applied(layer, x, [
    [kernel, [inputs, outputs]],
    [bias, [outputs]],
  ])
}

/** The same values in every row. There is no layer without an input: the observation is multiplied by zeros. */
function constant(x: SymbolicTensor, name: string, values: Float32Array): SymbolicTensor {
  const inputs = x.shape[1] as number
  const kernel = new Float32Array(inputs * values.length)
  return dense(x, { name, inputs, outputs: values.length, kernel, bias: values, activation: 'linear' })
}

/** scale x + shift, element by element. */
function affine(x: SymbolicTensor, name: string, scale: Float32Array, shift: Float32Array): SymbolicTensor {
  const size = scale.length
  const kernel = new Float32Array(size * size)
  for (let k = 0; k < size; k++) kernel[k * size + k] = scale[k]
  return dense(x, { name, inputs: size, outputs: size, kernel, bias: shift, activation: 'linear' })
}

/** x between low and high, element by element. */
function clipped(observation: SymbolicTensor, x: SymbolicTensor, name: string, low: Float32Array, high: Float32Array) {
  const least = constant(observation, `${name}_low`, low)
  const most = constant(observation, `${name}_high`, high)
  const below = applied(layers.minimum({ name: `${name}_below` }), [x, most])
  return applied(layers.maximum({ name }), [below, least])
}

function clippedLogStd(observation: SymbolicTensor, last: SymbolicTensor, head: DensePart): SymbolicTensor {
  const free = dense(last, { ...head, name: 'log_std_free' })
  const [low, high] = LOG_STD_RANGE.map((end) => new Float32Array(head.outputs).fill(end))
  return clipped(observation, free, 'log_std', low, high)
}

function normalised(observation: SymbolicTensor, { normalisation }: SinglePolicy): SymbolicTensor {
  if (!normalisation) return observation
  const { mean, deviation, clip } = normalisation
  const all = (value: number) => new Float32Array(mean.length).fill(value)
  // In two steps, so that x − mean loses no digits.
  const centred = affine(
    observation,
    'centred',
    all(1),
    Float32Array.from(mean, (value) => -value),
  )
  const scaled = affine(
    centred,
    'scaled',
    Float32Array.from(deviation, (value) => 1 / value),
    all(0),
  )
  return clipped(observation, scaled, 'normalised', all(-clip), all(clip))
}

/** tanh of the mean, moved from [−1, 1] to the box. */
function rescaled(mean: SymbolicTensor, { low, high }: Parts): SymbolicTensor {
  const squashed = applied(layers.activation({ name: 'squashed', activation: 'tanh' }), mean)
  const half = low.map((least, k) => 0.5 * (high[k] - least))
  const middle = low.map((least, k) => 0.5 * (least + high[k]))
  return affine(squashed, 'action', half, middle)
}
