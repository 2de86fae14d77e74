/** The address of a Redis server; with TLS where it begins with rediss. */
export type RedisAddress = `redis://${string}` | `rediss://${string}`

/** Whether a value is meant as the address of a Redis server. */
export const isRedisAddress = (value: unknown): value is RedisAddress =>
  typeof value === 'string' && /^rediss?:\/\//.test(value)

/** Who evaluates particles: this thread (0), that number of workers, one a core, or those at a Redis server. */
export type Workers = number | 'auto' | RedisAddress
