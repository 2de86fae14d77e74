// For runtimes that run files: prints the timings as one line of JSON.
import { measureAll } from './cases.ts'

console.log(JSON.stringify(await measureAll(() => new Promise((resume) => setTimeout(resume)))))
