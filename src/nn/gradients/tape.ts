import { tf } from '#tfjs'

// tfjs 4.22 records what it computes on a tape and walks it backwards. Four things are mended in its engine:
//
// - An op that saves its own result (exp, tanh, softmax, logSoftmax …) saves a copy that stands before the op on the
//   tape, so that a second derivative stops there and silently loses the term through the result.
// - customGrad frees its inputs before the gradient reads them, unless the op saves them too (logSigmoid does not), and
//   takes what it saves beside its inputs for constant in a second derivative.
// - An input that an op may do without (the scale of batchNorm) can neither be saved nor stand on the tape.
// - A gradient that fails leaves every saved tensor behind.

interface TapeNode {
  readonly kernelName: string
  readonly inputs: Readonly<Record<string, tf.Tensor>>
  readonly outputs: readonly tf.Tensor[]
  readonly saved: tf.Tensor[]
}

type Save = (tensors: tf.Tensor[]) => void
type CustomGradient = (...given: unknown[]) => {
  value: tf.Tensor
  gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => unknown
}

/** What is used of tfjs's engine beyond its types. */
interface Engine {
  readonly state: { activeTape: TapeNode[] | null; gradientDepth: number }
  isTapeOn(): boolean
  keep(tensor: tf.Tensor): tf.Tensor
  addTapeNode(name: string, inputs: Partial<TapeNode['inputs']>, ...rest: unknown[]): void
  customGrad(f: CustomGradient): (...inputs: tf.Tensor[]) => tf.Tensor
  saveTensorsForBackwardMode(tensors: (tf.Tensor | undefined)[]): tf.Tensor[]
  gradients(...given: unknown[]): unknown
}

const engineOf = () => tf.engine() as unknown as Engine

const mended = new WeakSet<object>()

/** Mends the tape of the one tfjs there is; the second call does nothing. */
export function mendTape(): void {
  const engine = engineOf()
  if (mended.has(engine)) return
  mended.add(engine)
  orderSavedOutputs(engine)
  mendCustomGradients(engine)
  saveWhatIsThere(engine)
  cleanAfterFailure(engine)
}

/** Moves the copies of an op's results behind the op. */
function orderSavedOutputs(engine: Engine): void {
  const addTapeNode = engine.addTapeNode.bind(engine)
  engine.addTapeNode = (name, inputs, ...rest) => {
    addTapeNode(name, thoseThere(inputs), ...rest)
    const tape = engine.state.activeTape
    if (!tape) return
    const last = tape.length - 1
    const results = new Set(tape[last].outputs.map(({ id }) => id))
    let first = last
    while (first > 0 && isCopyOf(tape[first - 1], results)) first--
    if (first < last) tape.splice(first, 0, ...tape.splice(last, 1))
  }
}

const thoseThere = (inputs: Partial<TapeNode['inputs']>) =>
  Object.values(inputs).every((input) => input)
    ? inputs
    : Object.fromEntries(Object.entries(inputs).filter(([, input]) => input))

const isCopyOf = ({ inputs, outputs }: TapeNode, results: ReadonlySet<number>) =>
  outputs.length === 1 && 'x' in inputs && results.has(inputs.x.id) && !results.has(outputs[0].id)

/**
 * Hands copies of its inputs to a custom gradient, which live as long as the tape. For a second derivative the function
 * is run again, this time on the tape, so that what its gradient reads is a function of the inputs.
 */
function mendCustomGradients(engine: Engine): void {
  const customGrad = engine.customGrad.bind(engine)
  engine.customGrad =
    (f) =>
    (...inputs) => {
      if (!engine.isTapeOn()) return customGrad(f)(...inputs)
      const kept = inputs.map((input) => engine.keep(tf.clone(input)))
      const own: CustomGradient = (...given) => {
        const { value, gradFunc } = f(...kept, given[given.length - 1])
        return {
          value: kept.includes(value) ? tf.clone(value) : value,
          gradFunc: (dy, saved) => (engine.isTapeOn() ? gradientOnTape(f, kept, dy) : gradFunc(dy, saved)),
        }
      }
      try {
        const value = customGrad(own)(...inputs)
        nodeOf(value, engine.state.activeTape ?? []).saved.push(...kept)
        return value
      } catch (error) {
        tf.dispose(kept)
        throw error
      }
    }
}

function gradientOnTape(f: CustomGradient, inputs: tf.Tensor[], dy: tf.Tensor): unknown {
  let saved: tf.Tensor[] = []
  const save: Save = (tensors) => {
    saved = tensors
  }
  const { gradFunc } = f(...inputs, save)
  return gradFunc(dy, saved)
}

function saveWhatIsThere(engine: Engine): void {
  const save = engine.saveTensorsForBackwardMode.bind(engine)
  engine.saveTensorsForBackwardMode = (tensors) => save(tensors.filter((tensor) => tensor != null))
}

/** The op that a tensor has just come from: at the end of the tape, but for copies of its results. */
function nodeOf({ id }: tf.Tensor, tape: readonly TapeNode[]): TapeNode {
  let k = tape.length - 1
  while (!tape[k].outputs.some((output) => output.id === id)) k--
  return tape[k]
}

/** Disposes what a gradient that fails has saved. */
function cleanAfterFailure(engine: Engine): void {
  const gradients = engine.gradients.bind(engine)
  engine.gradients = (...given) => {
    try {
      return gradients(...given)
    } catch (error) {
      if (engine.state.gradientDepth === 0) {
        for (const { saved } of engine.state.activeTape ?? []) tf.dispose(saved)
        engine.state.activeTape = null
      }
      throw error
    }
  }
}
