/** Codes have at most 12 bits. */
const MAX_CODES = 4096
/** Bytes of a block, before which their number stands. */
const BLOCK = 255

/**
 * Numbers of `bits` bits by LZW as GIF89a has it (appendix F), in blocks with an empty one at the end.
 *
 * @param bits from 2 to 8
 */
export function compressed(values: Uint8Array, bits: number): number[] {
  const clear = 1 << bits
  const end = clear + 1
  /** [MAX_CODES, 2^bits] the code of a known sequence with one more number behind it; 0 where there is none. */
  const longer = new Uint16Array(MAX_CODES << bits)
  const bytes: number[] = []
  let [size, next, held, heldBits] = [bits + 1, end + 1, 0, 0]
  const emit = (code: number) => {
    held |= code << heldBits
    for (heldBits += size; heldBits >= 8; heldBits -= 8) {
      bytes.push(held & 255)
      held >>>= 8
    }
  }
  emit(clear)
  let code = values[0]
  for (let k = 1; k < values.length; k++) {
    const value = values[k]
    const key = (code << bits) | value
    if (longer[key]) {
      code = longer[key]
      continue
    }
    emit(code)
    if (next === MAX_CODES) {
      emit(clear)
      longer.fill(0)
      size = bits + 1
      next = end + 1
    } else {
      if (next >= 1 << size) size++
      longer[key] = next++
    }
    code = value
  }
  emit(code)
  emit(end)
  if (heldBits > 0) bytes.push(held & 255)
  return inBlocks(bytes)
}

function inBlocks(bytes: readonly number[]): number[] {
  const blocks: number[] = []
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.slice(at, at + BLOCK)
    blocks.push(block.length, ...block)
  }
  return [...blocks, 0]
}
