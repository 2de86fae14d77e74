import Sequencer from '@jest/test-sequencer'

/** Suites that take longest, in that order: one that began last would run on alone, with the other cores idle. */
export const LONG = [
  'test/readme.test.ts',
  'test/docs.test.ts',
  'test/faults/commands.test.ts',
  'test/cluster/faults.test.ts',
  'test/cluster/experiments.test.ts',
  'test/faults/faults.test.ts',
  'test/cluster/endings.test.ts',
  'test/cluster/runs.test.ts',
  'test/package.test.ts',
  'test/kills/kills.test.ts',
]

const placeOf = ({ path }) => {
  const place = LONG.findIndex((name) => path.replaceAll('\\', '/').endsWith(name))
  return place < 0 ? LONG.length : place
}

/** Jest's order, by the times of the run before or else by the sizes of the files, behind the long ones. */
export default class extends Sequencer {
  async sort(tests) {
    return [...(await super.sort(tests))].sort((a, b) => placeOf(a) - placeOf(b))
  }
}
