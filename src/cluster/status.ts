import { type RedisAddress, requireAddress } from './address.ts'
import { sharedQueue } from './names.ts'
import { type WorkerRecord, workersAt } from './register.ts'
import { connect } from './server.ts'

/** What is going on at a server. */
export interface ClusterStatus {
  /** The address without user and password. */
  readonly server: string
  /** Those that are alive. */
  readonly workers: readonly WorkerRecord[]
  /** Jobs of the releases that these workers are of. */
  readonly waiting: number
  readonly running: number
  readonly failed: number
}

/**
 * Looks at the workers and the jobs of a cluster.
 *
 * @throws UsageError when there is no server
 */
export async function clusterStatus(address: RedisAddress): Promise<ClusterStatus> {
  requireAddress('clusterStatus', address)
  const server = await connect(address)
  try {
    const workers = await workersAt(server)
    const totals = { waiting: 0, running: 0, failed: 0 }
    for (const name of new Set(workers.map(sharedQueue))) {
      const queue = server.queue(name)
      const counts = await queue.getJobCounts()
      totals.waiting += counts.waiting + counts.delayed + counts.prioritized
      totals.running += counts.active
      totals.failed += counts.failed
      await queue.close()
    }
    return { server: server.shown, workers, ...totals }
  } finally {
    server.close()
  }
}
