// For workerd, which compiles no WASM by itself: it gets the core as a ready module, and cannot start tfjs.
import { coreSections } from '../core.ts'
import { opSections } from '../ops.ts'
import { policySections } from '../policies.ts'
import { runSections } from '../sections.ts'
import core from './steinrl.wasm'

export default {
  async fetch(): Promise<Response> {
    return Response.json(await runSections({ ...opSections, ...coreSections, ...policySections }, core))
  },
}
