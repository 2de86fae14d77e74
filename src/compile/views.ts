/**
 * An array as a number of floats on the memory of a node sees it: element (i, j, ...) stands at offset + i s₀ + j s₁ +
 * ....
 */
export interface Strided {
  readonly shape: readonly number[]
  /** In floats; 0 where an axis is broadcast. */
  readonly strides: readonly number[]
  readonly offset: number
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** Of rows that follow each other. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]
  }
  return strides
}

/** Whether elements follow each other in memory. */
export function isContiguous({ shape, strides }: Strided): boolean {
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false
    step *= shape[axis]
  }
  return true
}

/** Whether all elements are one and the same number of memory. */
export const isSingle = ({ shape, strides }: Strided) => shape.every((size, axis) => size === 1 || strides[axis] === 0)

export function broadcast<V extends Strided>(view: V, shape: readonly number[]): V {
  const added = shape.length - view.shape.length
  const strides = shape.map((size, axis) => {
    const own = axis - added
    return own < 0 || (view.shape[own] === 1 && size !== 1) ? 0 : view.strides[own]
  })
  return { ...view, shape: [...shape], strides }
}

export function transpose<V extends Strided>(view: V, order: readonly number[]): V {
  return { ...view, shape: order.map((axis) => view.shape[axis]), strides: order.map((axis) => view.strides[axis]) }
}

/** Elements begin, begin + step, ... of each axis, `size` of them. */
export function slice<V extends Strided>(
  view: V,
  begin: readonly number[],
  size: readonly number[],
  step: readonly number[] = size.map(() => 1),
): V {
  const offset = begin.reduce((sum, first, axis) => sum + first * view.strides[axis], view.offset)
  return { ...view, shape: [...size], strides: view.strides.map((stride, axis) => stride * step[axis]), offset }
}

/** One array with axes of one element left out and axes that follow each other taken as one. */
export function collapse({ shape, strides, offset }: Strided): Strided {
  const sizes: number[] = []
  const steps: number[] = []
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = sizes.length - 1
    if (last >= 0 && steps[last] === size * strides[axis]) {
      sizes[last] *= size
      steps[last] = strides[axis]
    } else {
      sizes.push(size)
      steps.push(strides[axis])
    }
  })
  return { shape: sizes, strides: steps, offset }
}

/** The same elements in another shape, or null where no strides say so. */
export function reshape<V extends Strided>(view: V, shape: readonly number[]): V | null {
  if (isContiguous(view)) return { ...view, shape: [...shape], strides: stridesOf(shape) }
  const from = collapse(view)
  const strides = new Array<number>(shape.length).fill(0)
  let axis = shape.length - 1
  for (let k = from.shape.length - 1; k >= 0; k--) {
    let rest = from.shape[k]
    let step = from.strides[k]
    while (rest > 1) {
      while (axis >= 0 && shape[axis] === 1) axis--
      if (axis < 0 || rest % shape[axis] !== 0) return null
      strides[axis] = step
      step *= shape[axis]
      rest /= shape[axis]
      axis--
    }
  }
  return { ...view, shape: [...shape], strides }
}

/** Whether boxes of an array and others of the same share no element: of some axis they have other rows. */
export function areApart(boxes: readonly Strided[], others: readonly Strided[]): boolean {
  // All boxes of an array have its strides.
  if (String(boxes[0]?.strides) !== String(others[0]?.strides)) return false
  return boxes.every((box) => others.every((other) => !overlap(box, other)))
}

function overlap(a: Strided, b: Strided): boolean {
  let [restA, restB] = [a.offset, b.offset]
  for (let axis = 0; axis < a.strides.length; axis++) {
    const stride = a.strides[axis]
    const [beginA, beginB] = [Math.floor(restA / stride), Math.floor(restB / stride)]
    if (beginA >= beginB + b.shape[axis] || beginB >= beginA + a.shape[axis]) return false
    restA -= beginA * stride
    restB -= beginB * stride
  }
  return true
}
