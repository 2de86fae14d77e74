import type { Answer, By } from './answers.ts'
import { particlesInWords } from './blocks.ts'
import { sameBytes } from './messages.ts'

/** Bytes of answers that are kept to be compared with second ones. */
const MOST_KEPT = 64 * 1024 * 1024

export type FirstAnswers = ReturnType<typeof firstAnswers>

/** First answers, for the comparison with second ones: an audit of the same bits on every machine. */
export function firstAnswers() {
  const kept = new Map<string, { outcome: Uint8Array; particles: readonly number[]; by: By }>()
  let bytes = 0
  let twice = 0
  return {
    keep(id: string, answer: { outcome: Uint8Array; particles: readonly number[]; by: By }): void {
      kept.set(id, answer)
      bytes += answer.outcome.length
      for (const [oldest, { outcome }] of kept) {
        if (bytes <= MOST_KEPT) break
        kept.delete(oldest)
        bytes -= outcome.length
      }
    },
    /** What is to be told of a second answer; null where there is nothing to compare it with. */
    compare(answer: Answer): string | null {
      const first = kept.get(answer.id)
      if (!first || !('outcome' in answer)) return null
      const { particles, by } = first
      const were = particles.length === 1 ? 'was' : 'were'
      const who = `${particlesInWords(particles).replace('p', 'P')} ${were} evaluated twice, by ${by.name} and by ${answer.by.name}`
      twice++
      return sameBytes(first.outcome, answer.outcome)
        ? `${who}, with the same bytes (${twice} in this run).`
        : `${who}, with other bytes: one of the two computes otherwise than this package promises; the first counts.`
    },
  }
}
