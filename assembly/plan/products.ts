// Products of matrices, one pair after the other, on the kernels of nn/dense.ts.

import { addProducts, compactRows, dense, packStrips, packTransposed, padded, stripBytes } from '../nn/dense'

/** Rows taken at a time: what they touch stays in the first cache. */
const BLOCK: i32 = 64

/** Rows from which packing pays. */
const PACKED: i32 = 16

/** out_i = A_i B_i, [rows, columns], sums over `terms`; src/compile/instructions.ts writes the same fields. */
@unmanaged
export class Product {
  pairs: i32
  rows: i32
  terms: i32
  columns: i32
  /** f32 [pairs, rows, columns] */
  out: usize
  /** f32 [rows, terms], or [terms, rows] where `transposedA` is set; the next one is aStep bytes further */
  a: usize
  aStep: i32
  /** Bytes of a row of A. */
  aRow: i32
  transposedA: i32
  /** f32 [terms, columns], or [columns, terms] where `transposedB` is set, which is not set with transposedA */
  b: usize
  bStep: i32
  transposedB: i32
  /** f32 [columns rounded up to 16, terms] and 48 more */
  strips: usize
  /** f32 [BLOCK, padded(columns)] */
  tile: usize
}

export function runProduct(product: Product): void {
  const outStep = (product.rows * product.columns) << 2
  // A sum of nothing; the loops below have one term at least.
  if (product.terms == 0) {
    memory.fill(product.out, 0, product.pairs * outStep)
    return
  }
  for (let i = 0; i < product.pairs; i++) {
    const out = product.out + i * outStep
    const a = product.a + i * product.aStep
    const b = product.b + i * product.bStep
    if (product.transposedA) transposedProduct(product, out, a, b)
    else plainProduct(product, out, a, b, i == 0 || product.bStep != 0)
  }
}

/** Aᵀ B, summed over rows of both in order. */
function transposedProduct(product: Product, out: usize, a: usize, b: usize): void {
  const columns = product.columns
  for (let k = 0; k < product.terms; k += BLOCK) {
    const count = min(BLOCK, product.terms - k)
    const from = b + ((k * columns) << 2)
    addProducts(out, a + k * product.aRow, product.aRow, from, columns << 2, count, product.rows, columns, k == 0, 0)
  }
}

function plainProduct(product: Product, out: usize, a: usize, b: usize, pack: bool): void {
  const rows = product.rows, terms = product.terms, columns = product.columns
  let line = 64
  let step = stripBytes(terms)
  let w = product.strips
  if (product.transposedB) {
    if (pack) packTransposed(w, b, columns, terms)
  } else if (rows >= PACKED) {
    if (pack) packStrips(w, b, terms, columns)
  } else {
    w = b
    line = columns << 2
    step = 64
  }
  const stride = padded(columns) << 2
  const isWhole = stride == columns << 2
  for (let r = 0; r < rows; r += BLOCK) {
    const count = min(BLOCK, rows - r)
    const to = out + ((r * columns) << 2)
    const rowsOut = isWhole ? to : product.tile
    dense(rowsOut, stride, a + r * product.aRow, product.aRow, count, terms, columns, w, line, step, 0)
    if (!isWhole) compactRows(to, product.tile, stride, count, columns)
  }
}
