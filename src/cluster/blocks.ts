// How particles are shared out. The way of a job costs the same for one particle and for many, so short evaluations go
// several to a job; and the last jobs are small, so that workers of unlike speed end together.

/** Milliseconds of evaluation in a job, at least: its way costs about 3. */
const LEAST_MS = 40

/** At most: what a worker that is killed takes with it. */
const MOST_MS = 100

/** Evaluations in a job, however short they are. */
const MOST_TOGETHER = 64

/** Evaluations of `ms` that go together at most; one where their time is not known yet. */
export const mostTogether = (ms: number | null): number =>
  ms === null ? 1 : Math.max(1, Math.min(MOST_TOGETHER, Math.floor(MOST_MS / ms)))

/**
 * Sizes of the jobs that `count` evaluations are shared out in, in their order: in each round half of what is left, a
 * job for each thread.
 *
 *     size = min(clamp(left / (2 threads), LEAST_MS / ms, MOST_MS / ms), left / threads without a job)
 *
 * Source: Hummel, Schonberg & Flynn 1992, "Factoring: a method for scheduling parallel loops".
 *
 * @param ms of an evaluation; null where it is not known yet
 */
export function blockSizes(count: number, threads: number, ms: number | null): number[] {
  const most = mostTogether(ms)
  const least = ms === null ? 1 : Math.max(1, Math.min(most, Math.ceil(LEAST_MS / ms)))
  const sizes: number[] = []
  for (let left = count; left > 0; ) {
    const half = Math.max(least, Math.min(most, Math.floor(left / (2 * threads))))
    for (let thread = 0; thread < threads && left > 0; thread++) {
      const size = Math.min(half, Math.ceil(left / (threads - thread)))
      sizes.push(size)
      left -= size
    }
  }
  return sizes
}

/** Particles as a person is told them. */
export const particlesInWords = (particles: readonly number[]): string =>
  particles.length === 1
    ? `particle ${particles[0]}`
    : `particles ${particles.slice(0, -1).join(', ')} and ${particles.at(-1)}`
