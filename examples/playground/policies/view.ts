import type { Part } from '../shared/part.ts'

export async function createPolicies(_settings: URLSearchParams, _changed: () => void): Promise<Part> {
  return { address: () => ({}), show() {}, toggle() {}, step() {}, reset() {} }
}
