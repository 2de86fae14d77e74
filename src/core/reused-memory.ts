/**
 * Memory for bytes that are needed for a while and then again: a garbage collector counts bytes, and looks at all
 * objects for them.
 *
 * @param largest bytes of what has memory of its own
 */
export function reusedMemory(largest = Number.POSITIVE_INFINITY) {
  let memory = new Uint8Array(0)
  let used = 0
  return {
    /** What was allocated so far is read no more. */
    clear(): void {
      used = 0
    },
    allocate(size: number): Uint8Array {
      if (size > largest) return new Uint8Array(size)
      // What is in the smaller one stays there.
      if (used + size > memory.length) [memory, used] = [new Uint8Array(used === 0 ? size : 2 * (used + size)), 0]
      used += size
      return memory.subarray(used - size, used)
    },
  }
}

/** Gives room for so many bytes, each of which is written. */
export type Allocate = (size: number) => Uint8Array

/** Memory of its own, each time. */
export const ownMemory: Allocate = (size) => new Uint8Array(size)
