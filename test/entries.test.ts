import { expect, test } from '@jest/globals'
import * as envs from '../src/envs.ts'
import * as all from '../src/index.ts'
import * as svgd from '../src/svgd.ts'

test('what the smaller entries export, the whole package exports as well, as the same things', () => {
  for (const entry of [svgd, envs]) {
    for (const [name, value] of Object.entries(entry))
      expect([name, (all as Record<string, unknown>)[name]]).toEqual([name, value])
  }
})

test('what is there for SVGD and for environments is in their entries', () => {
  expect(Object.keys(svgd)).toEqual(
    expect.arrayContaining(['svgd', 'createSVGD', 'rbf', 'steinDiscrepancy', 'compileCore']),
  )
  expect(Object.keys(envs)).toEqual(expect.arrayContaining(['make', 'makeVector', 'environments', 'wrap', 'mujoco']))
})
