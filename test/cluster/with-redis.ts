import { execFileSync } from 'node:child_process'
import { describe, test } from '@jest/globals'

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests that need a server: where there is none, one test says so and is skipped. */
export function describeWithRedis(name: string, tests: () => void): void {
  if (hasRedis()) describe(name, tests)
  else
    describe(name, () => {
      test.skip('redis-server is not installed (apt-get install redis-server)', () => {})
    })
}
