// steinrl/cluster: workers of a training on other machines, behind a Redis server. For Node alone.

export type { RedisAddress, Workers } from './cluster/address.ts'
export type { Release } from './cluster/names.ts'
export type { WorkerRecord } from './cluster/register.ts'
export { type ClusterStatus, clusterStatus } from './cluster/status.ts'
export { type ClusterWorker, type ClusterWorkerOptions, startClusterWorker } from './cluster/worker.ts'
export { RunError, UsageError } from './core/errors.ts'
