import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))

/**
 * Runs a program in a page as jest-environment-jsdom has it, on the built package: the modules of browsers, without
 * TextDecoder, TextEncoder and URL.createObjectURL.
 */
async function inJsdom(program: string): Promise<unknown> {
  const script = `
    for (const name of ['TextDecoder', 'TextEncoder']) delete globalThis[name]
    delete URL.createObjectURL
    const { createSVGD, loadSvgd, saveSvgd, svgd } = await import('${dist}/svgd.js')
    const { make, makeVector } = await import('${dist}/envs.js')
    const score = (out, theta) => out.set(theta.map((x) => -x))
    const refusal = (promise) => promise.then(() => 'none', ({ name, message }) => name + ': ' + message)
    ${program}`
  const flags = ['--conditions=browser', '--input-type=module', '--eval', script]
  return JSON.parse((await promisify(execFile)(process.execPath, flags)).stdout)
}

test('SVGD and environments run where there is no TextDecoder', async () => {
  const program = `
    const particles = await svgd({ particles: 4, dimension: 1, iterations: 3, score, seed: 1 })
    const env = await make('CartPole-v1')
    const { obs } = env.reset({ seed: 1 })
    const rows = (await makeVector('CartPole-v1', { num: 2 })).reset({ seed: 1 }).obs
    console.log(JSON.stringify([typeof TextDecoder, particles.length, obs.length, rows.length]))`
  expect(await inJsdom(program)).toEqual(['undefined', 4, 4, 8])
})

test('what needs text as bytes, and what needs tfjs, is refused in one sentence', async () => {
  const program = `
    const run = await createSVGD({ score })
    const state = await run.init({ particles: 4, dimension: 1 })
    const { train } = await import('${dist}/index.js')
    console.log(JSON.stringify([
      await refusal((async () => saveSvgd(state))()),
      await refusal((async () => loadSvgd(state, new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125])))()),
      await refusal(train({ env: 'CartPole-v1', particles: 2, iterations: 1 }).next()),
    ]))`
  const [saved, loaded, trained] = (await inJsdom(program)) as string[]
  const files = (name: string) =>
    `This runtime has no ${name}, which files of steinrl need: in jest-environment-jsdom set it, for example to Node's.`
  expect(saved).toBe(`UsageError: ${files('TextEncoder')}`)
  expect(loaded).toContain(files('TextDecoder'))
  expect(trained).toBe(
    'UsageError: tfjs cannot start: this runtime has no URL.createObjectURL; tests of what trains run in jest-environment-node.',
  )
})
