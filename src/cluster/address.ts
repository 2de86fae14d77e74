import { requireThat } from '../core/require.ts'

/** The address of a Redis server; with TLS where it begins with rediss. */
export type RedisAddress = `redis://${string}` | `rediss://${string}`

/** Whether a value is meant as the address of a Redis server. */
export const isRedisAddress = (value: unknown): value is RedisAddress =>
  typeof value === 'string' && /^rediss?:\/\//.test(value)

/** Who evaluates particles: this thread (0), that number of workers, one a core, or those at a Redis server. */
export type Workers = number | 'auto' | RedisAddress

/** @throws UsageError for what is no address; the password of one that is none is not shown */
export const requireAddress = (taker: string, address: unknown): void =>
  requireThat(isRedisAddress(address), taker, 'an address like redis://user:password@host:6379', typeof address)
