// Where one driver saturates: measured times of a job replayed in a model of the driver and its network.

/** What a job costs. */
export interface JobCosts {
  /** Milliseconds of its evaluation on a worker. */
  readonly evaluation: number
  /** Milliseconds of the driver's own thread and of the server, there and back. */
  readonly overhead: number
  /** Bytes there and back. */
  readonly bytes: number
}

interface Network {
  /** Bytes in a millisecond: 1 Gb/s is 125,000. */
  readonly bandwidth: number
  /** Milliseconds, one way. */
  readonly latency: number
}

/**
 * Milliseconds of one iteration: `jobs` evaluations on `workers`, then what only the driver does. The driver's link and
 * its thread carry one job after the other; a worker takes its next job as soon as its answer is on the way.
 */
export function iterationTime(
  jobs: number,
  workers: number,
  { evaluation, overhead, bytes }: JobCosts,
  serial: number,
  { bandwidth, latency }: Network = { bandwidth: 125_000, latency: 0.5 },
): number {
  const transfer = bytes / 2 / bandwidth
  const free = Array<number>(workers).fill(0)
  let sent = 0
  let received = 0
  const arrivals: number[] = []
  for (let job = 0; job < jobs; job++) {
    sent += Math.max(transfer, overhead / 2)
    const next = free.indexOf(Math.min(...free))
    free[next] = Math.max(free[next] + 2 * latency, sent + latency) + evaluation
    arrivals.push(free[next] + latency)
  }
  for (const arrival of arrivals.sort((a, b) => a - b))
    received = Math.max(received, arrival) + Math.max(transfer, overhead / 2)
  return received + serial
}

/** How many times faster w workers are than one, with one job a worker. */
export const speedup = (workers: number, costs: JobCosts, serial: number, jobs = workers): number =>
  iterationTime(jobs, 1, costs, serial) / iterationTime(jobs, workers, costs, serial)
