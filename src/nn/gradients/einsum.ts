import { tf } from '#tfjs'
import { UsageError } from '../../core/errors.ts'

// tf.einsum, which tfjs's WASM backend lacks, and its gradient.

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
  const { equation } = attributes as { equation: string }
  const [left, result, ...more] = equation.replace(/\s/g, '').split('->')
  const operands = left.split(',').map((letters, k) => ({ tensor: tensors[k], letters }))
  const refuse = (reason: string): never => {
    throw new UsageError(`tf.einsum('${equation}') ${reason}.`)
  }
  if (result === undefined || more.length > 0) refuse('must name its result behind one ->')
  if (!/^[A-Za-z,]*$/.test(left + result)) refuse('takes letters alone, without …')
  if (operands.length !== tensors.length) refuse(`names ${operands.length} tensors and was given ${tensors.length}`)
  const sizes = new Map<string, number>()
  for (const { tensor, letters } of operands) {
    if (letters.length !== tensor.rank) refuse(`has the letters ${letters} for the shape [${tensor.shape.join(', ')}]`)
    if (new Set(letters).size < letters.length) refuse('has a letter twice for one tensor: multiply by tf.eye and sum')
    for (const [axis, letter] of [...letters].entries()) {
      const size = sizes.get(letter) ?? tensor.shape[axis]
      if (size !== tensor.shape[axis]) refuse(`has ${letter} for axes of ${size} and ${tensor.shape[axis]}`)
      sizes.set(letter, size)
    }
  }
  const isKnown = [...result].every((letter) => sizes.has(letter)) && new Set(result).size === result.length
  if (!isKnown) refuse('must name each letter of its result once, and before ->')
  return { operands, result }
}

/** Sums the product of tensors over the letters that are not in the result, from the first to the last. */
function contract(operands: readonly Lettered[], result: string): tf.Tensor {
  const [first, second, ...others] = operands
  if (!second) {
    const { tensor, letters } = summed(first, result)
    return transposed(tensor, letters, result)
  }
  if (others.length === 0) return product(first, second, result)
  const wanted = result + others.map(({ letters }) => letters).join('')
  const letters = [...new Set(first.letters + second.letters)].filter((letter) => wanted.includes(letter)).join('')
  return contract([{ tensor: product(first, second, letters), letters }, ...others], result)
}

function product(first: Lettered, second: Lettered, result: string): tf.Tensor {
  const a = summed(first, result + second.letters)
  const b = summed(second, result + first.letters)
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
