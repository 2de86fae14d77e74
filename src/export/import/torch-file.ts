import { UsageError } from '../../core/errors.ts'
import { readPickle, type StoredTensor } from './pickle.ts'
import { readZip } from './zip.ts'

/** Of a state_dict: numbers in the order of the shape. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const FLOAT_BYTES = 4

/**
 * The float32 tensors that torch.save() has written of a state_dict, by name. Nothing of the file is run.
 *
 * @throws UsageError for what is something else
 */
export function readStateDict(bytes: Uint8Array): Map<string, NamedTensor> {
  const members = readZip(bytes)
  const [pickle] = [...members.keys()].filter((name) => name.endsWith('/data.pkl'))
  if (pickle === undefined) throw new UsageError('its tensors are not those of torch.save().')
  const folder = pickle.slice(0, -'data.pkl'.length)
  const order = members.get(`${folder}byteorder`)
  if (order && new TextDecoder().decode(order) !== 'little') throw new UsageError('its numbers are big-endian.')
  const tensors = new Map<string, NamedTensor>()
  for (const [name, stored] of readPickle(members.get(pickle) as Uint8Array)) {
    const storage = members.get(`${folder}data/${stored.storage}`)
    if (!storage) throw new UsageError(`the numbers of ${JSON.stringify(name)} are not there.`)
    tensors.set(name, tensorOf(name, stored, storage))
  }
  return tensors
}

/** @throws UsageError where the storage has fewer numbers, also where strides of 0 would read some of them again */
export function tensorOf(name: string, { offset, shape, strides }: StoredTensor, storage: Uint8Array): NamedTensor {
  const size = shape.reduce((product, length) => product * length, 1)
  const last = shape.reduce((sum, length, k) => sum + (length - 1) * strides[k], offset)
  if (size === 0 || Math.max(size, last + 1) * FLOAT_BYTES > storage.byteLength)
    throw new UsageError(`${JSON.stringify(name)} of shape [${shape}] is larger than its numbers.`)
  const view = new DataView(storage.buffer, storage.byteOffset, storage.byteLength)
  const data = new Float32Array(size)
  for (let k = 0; k < size; k++) {
    let [rest, at] = [k, offset]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]) * strides[axis]
      rest = Math.floor(rest / shape[axis])
    }
    data[k] = view.getFloat32(at * FLOAT_BYTES, true)
  }
  return { shape, data }
}
