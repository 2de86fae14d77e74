import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { generator, normal } from '../../src/core/generator.ts'
import { type SingleSampler, samplerOnnxModel } from '../../src/export/onnx.ts'
import { samplerNetwork } from '../../src/nn/network.ts'
import { hasModule, interpreter } from '../left-out.js'
import { mlpReference } from '../reference/mlp.ts'

const bounds = { low: [-2, 0], high: [2, 5] }
const normalisation = { mean: [0.5, -1, 100], deviation: [2, 0.3, 50], clip: 1.2 }

/** Two actions from three observations, by a network of random weights. */
function samplerOf(latents: number, residual: boolean, isNormalised: boolean): SingleSampler {
  const numbers = generator(latents)
  const sampler = samplerNetwork(3, latents, 2, [8, 6], 'elu')
  const theta = Float32Array.from({ length: sampler.size + 3 }, () => 0.5 * normal(numbers))
  const one = { sampler, theta, shape: { latents, ...(residual && { residual }) }, latentSet: null }
  return { sampler: one, normalisation: isNormalised ? normalisation : null, bounds }
}

/** What its definition says, in float64. */
function expected({ sampler: one, normalisation: norm }: SingleSampler, observation: number[], noise: number[]) {
  const x = norm
    ? observation.map((value, k) =>
        Math.min(Math.max((value - norm.mean[k]) / norm.deviation[k], -norm.clip), norm.clip),
      )
    : observation
  const u = mlpReference(one.sampler, one.theta, [...x, ...noise])
  return u.map((value, k) => {
    const action = Math.tanh(value + (one.shape.residual ? (noise[k] ?? 0) : 0))
    return bounds.low[k] + 0.5 * (action + 1) * (bounds.high[k] - bounds.low[k])
  })
}

const cases: [string, SingleSampler][] = [
  ['normalised', samplerOf(2, false, true)],
  ['residual', samplerOf(2, true, false)],
  ['residual with less noise than actions', samplerOf(1, true, true)],
  ['residual with more noise than actions', samplerOf(4, true, false)],
]

const withPython = hasModule('onnxruntime') ? test : test.skip

withPython.each(cases)(
  'a sampler that is %s draws the same in onnxruntime, of one row and of seven',
  async (_, single) => {
    const numbers = generator(9)
    const rows = Array.from({ length: 7 }, () => ({
      observation: [normal(numbers), normal(numbers), 100 + 50 * normal(numbers)].map(Math.fround),
      noise: Array.from({ length: single.sampler.shape.latents }, () => Math.fround(normal(numbers))),
    }))
    const folder = mkdtempSync(join(tmpdir(), 'steinrl-onnx-'))
    try {
      const file = join(folder, 'policy.onnx')
      writeFileSync(file, await samplerOnnxModel(single))
      const code = `
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
rows = json.loads(sys.argv[2])
inputs = {name: np.array([row[name] for row in rows], np.float32) for name in ('observation', 'noise')}
one = {name: values[:1] for name, values in inputs.items()}
assert [i.name for i in session.get_inputs()] == ['observation', 'noise']
print(json.dumps([session.run(['action'], given)[0].tolist() for given in (one, inputs)]))`
      const { stdout, stderr } = spawnSync(interpreter, ['-c', code, file, JSON.stringify(rows)], { encoding: 'utf8' })
      if (!stdout) throw new Error(stderr)
      const [[alone], all] = JSON.parse(stdout) as number[][][]
      const wanted = rows.map(({ observation, noise }) => expected(single, observation, noise))
      for (const [found, row] of [[alone, wanted[0]], ...all.map((each, r) => [each, wanted[r]])])
        found.forEach((value, k) => void expect(value).toBeCloseTo(row[k], 4))
      expect(all).toHaveLength(7)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test('a sampler with noise of its own, and a task without bounds, are refused', async () => {
  const single = samplerOf(2, false, false)
  const sampler = { ...single.sampler, latentSet: new Float32Array(4) }
  await expect(samplerOnnxModel({ ...single, sampler })).rejects.toThrow(/draws from a set of noise of its own/)
  const open = { low: [null, 0], high: [1, 1] }
  await expect(samplerOnnxModel({ ...single, bounds: open })).rejects.toThrow(/so bounds must have numbers only\.$/)
})
