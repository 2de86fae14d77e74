import { tf } from '../nn/tfjs.ts'

// Which argument of which log density it was that left no number: looked for when a fit finds none at its start.

/** What numbers of an argument may be. */
type Domain = keyof typeof domains

const domains = {
  finite: { holds: () => true, rule: 'must be finite' },
  'from 0': { holds: (value: number) => value >= 0, rule: 'must be at least 0' },
  'above 0': { holds: (value: number) => value > 0, rule: 'must be above 0' },
  'within 1': { holds: (value: number) => value > 0 && value < 1, rule: 'must be between 0 and 1' },
} satisfies Record<string, { holds: (value: number) => boolean; rule: string }>

/** The arguments of a log density by name, in their order. */
type Arguments = Readonly<Record<string, Domain>>

let tell: ((sentence: string) => void) | null = null
/** Log densities that stand in others are these others'. */
let depth = 0

/** The log density, which says what was wrong with its arguments where that is asked for. */
export function told<F extends (...inputs: never[]) => tf.Tensor>(name: string, of: Arguments, density: F): F {
  const telling = (...inputs: never[]) => {
    if (!tell) return density(...inputs)
    depth++
    try {
      const result = density(...inputs)
      if (depth === 1 && !result.dataSync().every(Number.isFinite)) tell(sentenceOf(name, of, inputs))
      return result
    } finally {
      depth--
    }
  }
  return telling as F
}

/** Runs a function and returns what is wrong with the first log density in it that is not finite; '' for none. */
export function blameOf(run: () => void): string {
  const found: string[] = []
  tell = (sentence) => void found.push(sentence)
  try {
    tf.tidy(() => run())
  } finally {
    tell = null
    depth = 0
  }
  return found[0] ?? ''
}

function sentenceOf(name: string, of: Arguments, inputs: readonly unknown[]): string {
  for (const [k, [argument, domain]] of Object.entries(of).entries()) {
    const { holds, rule } = domains[domain]
    const values = numbersOf(inputs[k])
    const at = values.findIndex((value) => !(Number.isFinite(value) && holds(value)))
    if (at < 0) continue
    const entry = values.length > 1 ? `entry ${at} of ` : ''
    const allowed = Number.isFinite(values[at]) ? rule : domains.finite.rule
    return `${entry}${argument} of logp.${name} is ${values[at]}; it ${allowed}.`
  }
  return `logp.${name} is not finite there.`
}

const numbersOf = (input: unknown): number[] =>
  input instanceof tf.Tensor ? Array.from(input.dataSync()) : [input].flat().map(Number)
