// A plain reader of GIF89a, by its specification, for what drawGif() writes.

interface Frame {
  readonly hundredths: number
  /** Left, top, width and height of what is drawn over the frame before. */
  readonly part: readonly number[]
  /** [height][width] all that is shown, colours in hexadecimal. */
  readonly rows: readonly (readonly string[])[]
}

export function decodeGif(bytes: Uint8Array): { width: number; height: number; frames: Frame[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (Buffer.from(bytes.subarray(0, 6)).toString() !== 'GIF89a') throw new Error('no GIF89a')
  const short = (at: number) => view.getUint16(at, true)
  const [width, height] = [short(6), short(8)]
  const colours = 2 << (bytes[10] & 7)
  const palette = Array.from({ length: colours }, (_, k) =>
    Buffer.from(bytes.subarray(13 + 3 * k, 16 + 3 * k)).toString('hex'),
  )
  const shown = Array.from({ length: height }, () => Array<string>(width).fill(''))
  const frames: Frame[] = []
  let at = 13 + 3 * colours
  let hundredths = 0
  const skipBlocks = (from: number) => {
    let end = from
    while (bytes[end] !== 0) end += 1 + bytes[end]
    return end + 1
  }
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) {
      if (bytes[at + 1] === 0xf9) hundredths = short(at + 4)
      at = skipBlocks(at + 2)
    } else if (bytes[at] === 0x2c) {
      const part = [1, 3, 5, 7].map((k) => short(at + k))
      const [left, top, across, down] = part
      const end = skipBlocks(at + 11)
      const values = decompressed([...bytes.subarray(at + 11, end)], bytes[at + 10])
      if (values.length !== across * down) throw new Error(`${values.length} pixels of ${across} by ${down}`)
      values.forEach((value, k) => {
        shown[top + Math.floor(k / across)][left + (k % across)] = palette[value]
      })
      frames.push({ hundredths, part, rows: shown.map((row) => [...row]) })
      at = end
    } else throw new Error(`byte ${at} is ${bytes[at]}`)
  }
  if (at !== bytes.length - 1) throw new Error('bytes behind the end')
  return { width, height, frames }
}

/** Numbers of `bits` bits from blocks: appendix F of the specification. */
export function decompressed(blocks: readonly number[], bits: number): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; blocks[at] > 0; at += 1 + blocks[at]) bytes.push(...blocks.slice(at + 1, at + 1 + blocks[at]))
  const clear = 1 << bits
  const fresh = () => Array.from({ length: clear + 2 }, (_, k) => (k < clear ? [k] : []))
  let [table, size, before] = [fresh(), bits + 1, null as number[] | null]
  const out: number[] = []
  for (let bit = 0; ; ) {
    let code = 0
    for (let k = 0; k < size; k++, bit++) code |= ((bytes[bit >> 3] >> (bit & 7)) & 1) << k
    if (code === clear + 1) return Uint8Array.from(out)
    if (code === clear) {
      ;[table, size, before] = [fresh(), bits + 1, null]
      continue
    }
    if (code > table.length || (code === table.length && !before)) throw new Error(`code ${code}`)
    const entry: number[] = table[code] ?? [...(before as number[]), (before as number[])[0]]
    for (const value of entry) out.push(value)
    if (before && table.length < 4096) table.push([...before, entry[0]])
    if (table.length === 1 << size && size < 12) size++
    before = entry
  }
}
