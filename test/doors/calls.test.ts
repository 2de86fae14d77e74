import { expect, test } from '@jest/globals'
import { isExpected } from '../../src/core/errors.ts'
import { algorithmCalls, type Call, calls } from './calls.ts'
import { values } from './values.ts'

/** What a first argument is checked to be as a whole; what is inside some of the others is not checked yet. */
const CHECKED = [
  ...['adam', 'adagrad', 'sgd', 'coin', 'relativeAdam', 'constant', 'cyclical', 'linearRamp', 'logLinearRamp'],
  ...['tanhRamp', 'rbf', 'imq', 'matern32', 'linear', 'bilinearMatern', 'sumOf', 'blockwise', 'graphical', 'sliced'],
  ...['preconditioned', 'given', 'createSVGD', 'createSVGD().step', 'svgd', 'svgdNewton', 'particlesOf', 'saveSvgd'],
  ...['loadSvgd', 'steinDiscrepancy', 'goodnessOfFit', 'compileCore', 'generator', 'normal', 'uniform', 'exponential'],
  ...['uniformInteger', 'sampler', 'contains', 'flatten', 'wrap', 'columnsOf', 'drawsToArviz', 'drawsToCsv'],
  ...['drawsToSafetensors', 'model', 'fitPosterior', 'encodeTensors', 'decodeTensors', 'tensorsOf', 'mergeReplays'],
  ...['store', 'renderReport', 'repeatAction', 'scaleReward', 'simplex', 'ordered', 'mlp', 'logDensity'],
]
/** What each argument is checked to be. */
const EVERYWHERE = [
  ...['rectangle', 'drawSvg', 'drawCanvas'],
  ...['frozen', 'describeTask', 'configured', 'makeVector', 'inTypeScript', 'clipAction()', 'episodicReward()'],
  ...['normaliseObservation()', 'recordEpisodes()', 'timeLimit()', 'checkEnvironment', 'problemsOf'],
  ...['interquartileMean', 'probabilityOfImprovement', 'performanceProfile', 'bootstrapIntervals'],
]
const OF_STATES = ['step', 'evaluate', 'move', 'measure', 'agents', 'save', 'kernel', 'visited', 'parts', 'close']

const isOfState = (name: string) => OF_STATES.includes(name.split('.')[1] ?? '')
const all: [string, Call][] = [
  ...CHECKED.map((name): [string, Call] => [name, calls[name]]),
  ...Object.entries(algorithmCalls()).filter(([name]) => isOfState(name)),
]

/** What a call with this first argument throws or rejects with; null where it takes it. */
async function refusalOf({ f }: Call, args: readonly unknown[]): Promise<unknown> {
  try {
    await f(...(args as never[]))
    return null
  } catch (error) {
    return error
  }
}

test.each(all)('%s refuses what is none of its arguments in a sentence', async (name, call) => {
  const rest = isOfState(name) ? [] : (await call.args()).slice(1)
  for (const [what, make] of Object.entries(values)) {
    const error = await refusalOf(call, [make(), ...rest])
    const isSentence = error === null || (isExpected(error) && /[.)]$/.test(error.message))
    expect([name, what, isSentence ? 'fine' : error]).toEqual([name, what, 'fine'])
    if (isOfState(name)) expect([name, what, error === null]).toEqual([name, what, false])
  }
})

test.each(EVERYWHERE)('%s refuses what is none of its arguments, whichever it is', async (name) => {
  const call = calls[name]
  const count = (await call.args()).length
  for (let k = 0; k < count; k++) {
    for (const [what, make] of Object.entries(values)) {
      const args = await call.args()
      args[k] = make()
      const error = await refusalOf(call, args)
      const isSentence = error === null || (isExpected(error) && /[.)]$/.test(error.message))
      expect([name, k, what, isSentence ? 'fine' : error]).toEqual([name, k, what, 'fine'])
    }
  }
})
