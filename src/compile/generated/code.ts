// Instructions of WebAssembly as bytes (WebAssembly Core Specification 2.0, chapter 5), as far as plans need them.

/** Bytes of a float, floats of a vector, and bytes of that. */
export const FLOAT = 4
export const LANES = 4
export const VECTOR = FLOAT * LANES

export const Type = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const

type TypeName = keyof typeof Type

/** Instructions of numbers. */
const Scalar = {
  ...{ end: 0x0b, pick: 0x1b, localGet: 0x20, localSet: 0x21, localTee: 0x22, int: 0x41, float: 0x43 },
  ...{ f32Load: 0x2a, f32Store: 0x38, isBelow: 0x49, isAtMost: 0x4d, isAtLeast: 0x4f },
  ...{ i32Add: 0x6a, i32Subtract: 0x6b, i32Multiply: 0x6c, i32And: 0x71 },
  ...{ f32Add: 0x92, f32Multiply: 0x94, f32Minimum: 0x96, f32Maximum: 0x97 },
} as const

/** Instructions of vectors, which stand behind a byte of their own. */
const Vector = {
  ...{ load: 0, load32Splat: 9, store: 11, shuffle: 13, splat: 19, extractLane: 31 },
  ...{ equal: 65, notEqual: 66, less: 67, greater: 68, lessEqual: 69, greaterEqual: 70 },
  ...{ and: 78, andNot: 79, or: 80, choose: 82, load32Lane: 86, store32Lane: 90, load32Zero: 92 },
  ...{ ceil: 103, floor: 104, truncate: 105, nearest: 106, absolute: 224, negate: 225, squareRoot: 227 },
  ...{ add: 228, subtract: 229, multiply: 230, divide: 231, minimum: 232, maximum: 233, lesser: 234, larger: 235 },
} as const

export type ScalarName = keyof typeof Scalar
export type VectorName = keyof typeof Vector

const OF_VECTORS = 0xfd
const LOOP = 0x03
const IF = 0x04
const BRANCH_IF = 0x0d
const NO_RESULT = 0x40

/** Bytes that are written one after the other. */
export class Bytes {
  readonly bytes: number[] = []

  write(...values: readonly number[]): this {
    for (const value of values) this.bytes.push(value)
    return this
  }

  append({ bytes }: Bytes): this {
    for (const value of bytes) this.bytes.push(value)
    return this
  }

  /** An unsigned number in LEB128. */
  unsigned(value: number): this {
    let rest = value >>> 0
    for (; rest > 0x7f; rest >>>= 7) this.bytes.push((rest & 0x7f) | 0x80)
    return this.write(rest)
  }

  /** A signed number in LEB128. */
  signed(value: number): this {
    let rest = value | 0
    for (; rest < -0x40 || rest > 0x3f; rest >>= 7) this.bytes.push((rest & 0x7f) | 0x80)
    return this.write(rest & 0x7f)
  }

  name(text: string): this {
    return this.unsigned(text.length).write(...Array.from(text, (letter) => letter.charCodeAt(0)))
  }
}

/** Local variables of a function, by their numbers. */
export class Locals {
  readonly types: TypeName[] = []

  add = (type: TypeName): number => this.types.push(type) - 1
}

/** Instructions of a function without arguments and results. */
export class Code extends Bytes {
  scalar(name: ScalarName): this {
    return this.write(Scalar[name])
  }

  vector(name: VectorName): this {
    return this.write(OF_VECTORS).unsigned(Vector[name])
  }

  get(local: number): this {
    return this.scalar('localGet').unsigned(local)
  }

  set(local: number): this {
    return this.scalar('localSet').unsigned(local)
  }

  tee(local: number): this {
    return this.scalar('localTee').unsigned(local)
  }

  int(value: number): this {
    return this.scalar('int').signed(value)
  }

  float(value: number): this {
    return this.scalar('float').write(...new Uint8Array(Float32Array.of(value).buffer))
  }

  /** Behind an instruction of memory: bytes to be added to its address. Nothing is said of alignment. */
  at(offset: number): this {
    return this.unsigned(0).unsigned(offset)
  }

  /** Runs once, and then as long as `next` leaves 1. */
  loop(inside: Code, next: Code): this {
    return this.write(LOOP, NO_RESULT).append(inside).append(next).write(BRANCH_IF, 0, Scalar.end)
  }

  /** Runs where the number before is 1. */
  if(inside: Code): this {
    return this.write(IF, NO_RESULT).append(inside).write(Scalar.end)
  }
}
