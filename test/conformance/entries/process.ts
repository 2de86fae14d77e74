// For runtimes that run files: Node, Bun, Deno.
import { conform } from '../program.ts'

const results = await conform()
// Not console.log with an exit: a pipe may take the text piece by piece.
console.log(JSON.stringify(results))
