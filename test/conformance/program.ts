// The conformance program: everything that a runtime is compared by. Neutral: it knows no runtime.
import type { CoreSource } from 'steinrl/svgd'
import { checkpointsOfNode } from './checkpoints.ts'
import { coreSections, threadSections } from './core.ts'
import { opSections } from './ops.ts'
import { policySections } from './policies.ts'
import { type Results, runSections } from './sections.ts'
import { trainingSections, workerSections } from './training.ts'

const sections = {
  ...opSections,
  ...coreSections,
  ...threadSections,
  ...policySections,
  ...trainingSections,
  'checkpoints of Node': checkpointsOfNode,
  ...workerSections,
}

export const conform = (core?: CoreSource): Promise<Results> => runSections(sections, core)
