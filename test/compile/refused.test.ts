// Where the runtime compiles no WebAssembly while it runs, as in workerd, plans are interpreted without a word.
import { expect, jest, test } from '@jest/globals'
import { platform } from '#platform'
import { compiledGradient } from '../../src/compile/compiled.ts'
import type { Expression } from '../../src/compile/recording.ts'
import { kernels, startTfjs, tf } from '../../src/nn/tfjs.ts'

await startTfjs()

let asked = 0

const { Module } = WebAssembly
Object.assign(WebAssembly, {
  Module: class {
    static [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Module
    }
    constructor() {
      asked++
      throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder')
    }
  },
})

const f: Expression = (x) => [tf.sum(tf.mul(x, tf.relu(tf.sub(x, 0.2))))]

function gradients(): Float32Array[] {
  const differentiate = compiledGradient({ name: 'It', mode: 'always' })
  return Array.from({ length: 12 }, (_, call) => {
    const x = Float32Array.from({ length: 300 }, (_, k) => Math.sin(k + call))
    return differentiate(f, x, [300]).gradient.slice()
  })
}

test('a runtime that refuses is asked once, and the bits are the same', () => {
  const warn = jest.spyOn(platform, 'warn')
  kernels.codeFrom = Number.POSITIVE_INFINITY
  const interpreted = gradients()
  expect(asked).toBe(0)
  kernels.codeFrom = 1
  expect(gradients()).toEqual(interpreted)
  expect(gradients()).toEqual(interpreted)
  expect(asked).toBe(1)
  expect(warn).not.toHaveBeenCalled()
})
