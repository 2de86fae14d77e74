/** A function of one instruction that only SIMD has, i8x16.popcnt. */
const PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
])

/** Whether this runtime has WebAssembly SIMD. Asks for nothing of the platform. */
export const hasSimd = (): boolean => typeof WebAssembly === 'object' && WebAssembly.validate(PROBE)
