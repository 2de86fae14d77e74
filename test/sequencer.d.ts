/** Paths of suites. */
export const LONG: readonly string[]
