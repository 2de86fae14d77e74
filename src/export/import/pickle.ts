import { show, UsageError } from '../../core/errors.ts'

// The part of Python's pickle that torch writes of a state_dict. A pickle is a program for a machine with a stack that
// may call anything; here there is a name for each of the few things that torch calls, which make plain data, and every
// other name and instruction is refused. Source: CPython, Lib/pickletools.py; torch/_utils.py.

/** A tensor as it lies in its storage; offset and strides count numbers. */
export interface StoredTensor {
  readonly storage: string
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** A thing that a pickle may name. */
class Named {
  constructor(readonly name: string) {}
}
/** A dict, an OrderedDict. */
class Dict {
  readonly entries = new Map<unknown, unknown>()
}
class Storage {
  constructor(readonly key: string) {}
}
class Tensor {
  constructor(readonly stored: StoredTensor) {}
}
const MARK = Symbol('mark')

const NAMES = ['collections OrderedDict', 'torch._utils _rebuild_tensor_v2', 'torch FloatStorage']
/** More than any state_dict has. */
const MOST_STEPS = 1_000_000
const MOST_AXES = 8
/** Instructions by number, that have no argument in the program. */
const PLAIN: Readonly<Record<number, unknown>> = { 78: null, 136: true, 137: false }

interface Machine {
  readonly view: DataView
  readonly bytes: Uint8Array
  at: number
  readonly stack: unknown[]
  readonly memo: Map<number, unknown>
}

/**
 * The tensors of a state_dict by name.
 *
 * @throws UsageError for a pickle of something else, and for one that would do something else
 */
export function readPickle(bytes: Uint8Array): Map<string, StoredTensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const machine: Machine = { view, bytes, at: 0, stack: [], memo: new Map() }
  try {
    for (let steps = 0; ; steps++) {
      if (steps === MOST_STEPS) throw new UsageError('its pickle is too long.')
      const code = view.getUint8(machine.at++)
      if (code === 0x2e) return tensorsOf(machine.stack.pop())
      step(machine, code)
    }
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError('its pickle is cut off.')
    throw error
  }
}

function tensorsOf(value: unknown): Map<string, StoredTensor> {
  if (!(value instanceof Dict)) throw new UsageError('its pickle is no state_dict.')
  return new Map(
    [...value.entries].map(([name, tensor]) => {
      // A tuple of tuples of itself would be a text without end.
      if (typeof name !== 'string') throw new UsageError('its pickle has a name that is no text.')
      if (!(tensor instanceof Tensor)) throw new UsageError(`its pickle has ${show(name)}, which is no float32 tensor.`)
      return [name, tensor.stored]
    }),
  )
}

function step(machine: Machine, code: number): void {
  const { stack, memo } = machine
  if (code in PLAIN) stack.push(PLAIN[code])
  else if (code in INTEGERS) stack.push(integer(machine, code))
  else if (code in TUPLES) stack.push(stack.splice(Math.max(0, stack.length - TUPLES[code])))
  else if (code in MEMO) {
    const { size, puts } = MEMO[code]
    const key = unsigned(machine, size)
    if (puts) memo.set(key, top(machine))
    else if (memo.has(key)) stack.push(memo.get(key))
    else throw new UsageError('its pickle is damaged.')
  } else if (Object.hasOwn(OTHERS, code)) OTHERS[code](machine)
  else throw new UsageError(`its pickle has the instruction 0x${code.toString(16)}, which no state_dict needs.`)
}

/** BININT1, BININT2, BININT: bytes of a number. */
const INTEGERS: Readonly<Record<number, number>> = { 75: 1, 77: 2, 74: 4 }
/** EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3: how many are taken. */
const TUPLES: Readonly<Record<number, number>> = { 41: 0, 133: 1, 134: 2, 135: 3 }
/** BINPUT, LONG_BINPUT, BINGET, LONG_BINGET. */
const MEMO: Readonly<Record<number, { readonly size: number; readonly puts: boolean }>> = {
  ...{ 113: { size: 1, puts: true }, 114: { size: 4, puts: true } },
  ...{ 104: { size: 1, puts: false }, 106: { size: 4, puts: false } },
}

const OTHERS: Readonly<Record<number, (machine: Machine) => void>> = {
  /** PROTO */
  128(machine) {
    if (unsigned(machine, 1) !== 2)
      throw new UsageError('its pickle is of another protocol than 2, which torch writes.')
  },
  /** GLOBAL */
  99(machine) {
    const name = `${textLine(machine)} ${textLine(machine)}`
    if (!NAMES.includes(name)) throw new UsageError(`its pickle names ${show(name)}, which no state_dict needs.`)
    machine.stack.push(new Named(name))
  },
  /** BINUNICODE */
  88(machine) {
    const size = unsigned(machine, 4)
    if (machine.at + size > machine.bytes.length) throw new RangeError()
    machine.stack.push(new TextDecoder().decode(machine.bytes.subarray(machine.at, machine.at + size)))
    machine.at += size
  },
  /** EMPTY_DICT */
  125: ({ stack }) => void stack.push(new Dict()),
  /** MARK */
  40: ({ stack }) => void stack.push(MARK),
  /** TUPLE */
  116: (machine) => void machine.stack.push(sinceMark(machine)),
  /** REDUCE */
  82: (machine) => {
    const [callee, given] = machine.stack.splice(-2)
    machine.stack.push(called(callee, given))
  },
  /** BINPERSID */
  81: ({ stack }) => void stack.push(storageOf(stack.pop())),
  /** SETITEM */
  115: (machine) => setItems(machine, machine.stack.splice(-2)),
  /** SETITEMS */
  117: (machine) => setItems(machine, sinceMark(machine)),
  /** BUILD: attributes of the dict, which are versions of its modules. */
  98: (machine) => void machine.stack.pop(),
}

const top = ({ stack }: Machine): unknown => {
  if (stack.length === 0) throw new UsageError('its pickle is damaged.')
  return stack[stack.length - 1]
}

function unsigned(machine: Machine, size: number): number {
  const { view, at } = machine
  machine.at += size
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true)
}

function integer(machine: Machine, code: number): number {
  const size = INTEGERS[code]
  const value = unsigned(machine, size)
  return size === 4 ? value | 0 : value
}

function textLine(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at)
  if (end < 0) throw new RangeError()
  const text = new TextDecoder().decode(machine.bytes.subarray(machine.at, end))
  machine.at = end + 1
  return text
}

function sinceMark({ stack }: Machine): unknown[] {
  const mark = stack.lastIndexOf(MARK)
  if (mark < 0) throw new UsageError('its pickle is damaged.')
  return stack.splice(mark).slice(1)
}

function setItems(machine: Machine, items: readonly unknown[]): void {
  const dict = top(machine)
  if (!(dict instanceof Dict) || items.length % 2 !== 0) throw new UsageError('its pickle is damaged.')
  for (let k = 0; k < items.length; k += 2) dict.entries.set(items[k], items[k + 1])
}

/** ('storage', FloatStorage, key, device, count) */
function storageOf(id: unknown): Storage {
  const [word, kind, key] = Array.isArray(id) ? id : []
  if (word === 'storage' && kind instanceof Named && kind.name === 'torch FloatStorage' && typeof key === 'string')
    return new Storage(key)
  throw new UsageError('its pickle has a tensor that is not of float32.')
}

/** What torch calls: OrderedDict(), and _rebuild_tensor_v2(storage, offset, shape, strides, …). */
function called(callee: unknown, given: unknown): unknown {
  if (callee instanceof Named && Array.isArray(given)) {
    if (callee.name === 'collections OrderedDict' && given.length === 0) return new Dict()
    if (callee.name === 'torch._utils _rebuild_tensor_v2') {
      const [storage, offset, shape, strides] = given
      const isWhole = storage instanceof Storage && areCounts([offset]) && areCounts(shape) && areCounts(strides)
      if (isWhole && shape.length === strides.length && shape.length <= MOST_AXES)
        return new Tensor({ storage: storage.key, offset, shape, strides })
    }
  }
  throw new UsageError('its pickle calls what no state_dict needs.')
}

const areCounts = (values: unknown): values is number[] =>
  Array.isArray(values) && values.every((value) => Number.isInteger(value) && value >= 0)
