import { tf } from '#tfjs'

// tf.einsum of one or two tensors, which tfjs's WASM backend lacks, and its gradient.

/** A tensor and a letter for each of its axes. */
interface Lettered {
  readonly tensor: tf.Tensor
  readonly letters: string
}

/** Registers the kernel below tf.einsum, and its gradient. */
export function registerEinsum(): void {
  tf.registerKernel({
    kernelName: tf.Einsum,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { operands, result } = parse(inputs, attrs)
      return tf.tidy(() => tf.clone(contract(operands, result)))
    },
  })
  tf.registerGradient({
    kernelName: tf.Einsum,
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const { operands, result } = parse(saved, attributes)
      const gradient = (k: number) => () => {
        const others = operands.filter((_, other) => other !== k)
        return spread(contract([{ tensor: dy as tf.Tensor, letters: result }, ...others], reachable(k)), k)
      }
      /** Letters of operand k that stand elsewhere too; along the others it was summed alone. */
      const reachable = (k: number) => {
        const elsewhere = result + operands.map(({ letters }, other) => (other === k ? '' : letters)).join('')
        return [...operands[k].letters].filter((letter) => elsewhere.includes(letter)).join('')
      }
      const spread = (found: tf.Tensor, k: number) => {
        const { tensor, letters } = operands[k]
        const kept = reachable(k)
        const shape = [...letters].map((letter, axis) => (kept.includes(letter) ? tensor.shape[axis] : 1))
        return tf.broadcastTo(tf.reshape(found, shape), tensor.shape)
      }
      return Object.fromEntries(operands.map((_, k) => [k, gradient(k)]))
    },
  })
}

function parse(inputs: unknown, attributes: unknown): { operands: Lettered[]; result: string } {
  const tensors = Object.values(inputs as Record<string, tf.Tensor>)
  const [left, result] = (attributes as { equation: string }).equation.replace(/\s/g, '').split('->')
  return { operands: left.split(',').map((letters, k) => ({ tensor: tensors[k], letters })), result }
}

/** Sums the product of one or two tensors over the letters that are not in the result. */
function contract(operands: readonly Lettered[], result: string): tf.Tensor {
  if (operands.length === 1) {
    const { tensor, letters } = summed(operands[0], result)
    return transposed(tensor, letters, result)
  }
  const a = summed(operands[0], result + operands[1].letters)
  const b = summed(operands[1], result + operands[0].letters)
  const common = [...a.letters].filter((letter) => b.letters.includes(letter))
  const batch = common.filter((letter) => result.includes(letter)).join('')
  const inner = common.filter((letter) => !result.includes(letter)).join('')
  const ofA = without(a.letters, batch + inner)
  const ofB = without(b.letters, batch + inner)
  const size = (letters: string) => [...letters].reduce((product, letter) => product * sizeOf(letter, a, b), 1)
  const left = tf.reshape(transposed(a.tensor, a.letters, batch + ofA + inner), [size(batch), size(ofA), size(inner)])
  const right = tf.reshape(transposed(b.tensor, b.letters, batch + inner + ofB), [size(batch), size(inner), size(ofB)])
  const letters = batch + ofA + ofB
  const shape = [...letters].map((letter) => sizeOf(letter, a, b))
  return transposed(tf.reshape(tf.matMul(left, right), shape), letters, result)
}

const without = (letters: string, those: string) => [...letters].filter((letter) => !those.includes(letter)).join('')

function sizeOf(letter: string, ...operands: readonly Lettered[]): number {
  const { tensor, letters } = operands.find(({ letters }) => letters.includes(letter)) as Lettered
  return tensor.shape[letters.indexOf(letter)]
}

/** Summed over the letters that are not wanted. */
function summed({ tensor, letters }: Lettered, wanted: string): Lettered {
  const axes = [...letters].flatMap((letter, axis) => (wanted.includes(letter) ? [] : [axis]))
  if (axes.length === 0) return { tensor, letters }
  return { tensor: tf.sum(tensor, axes), letters: [...letters].filter((letter) => wanted.includes(letter)).join('') }
}

function transposed(tensor: tf.Tensor, letters: string, order: string): tf.Tensor {
  if (letters === order) return tensor
  return tf.transpose(
    tensor,
    [...order].map((letter) => letters.indexOf(letter)),
  )
}
