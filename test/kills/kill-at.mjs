// node --import this: kills the process by SIGKILL before its KILL_AT-th change of a file whose path, before or after,
// holds KILL_IN, and where KILL_AFTER is set so many milliseconds later, when what else was under way is done.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const { KILL_AFTER = '0', KILL_AT, KILL_IN } = process.env
const CHANGES = ['writeFile', 'rename', 'rm', 'unlink', 'mkdir', 'open', 'link']

if (isMainThread && KILL_IN) {
  let count = 0
  const isTurn = (paths) => paths.includes(KILL_IN) && count++ === Number(KILL_AT)
  const die = () => {
    process.kill(process.pid, 'SIGKILL')
    for (;;);
  }
  for (const name of CHANGES) {
    const real = fs.promises[name]
    fs.promises[name] = async (path, ...rest) => {
      if (isTurn(name === 'rename' ? `${path} ${rest[0]}` : String(path))) {
        await new Promise((resolve) => (KILL_AFTER === '0' ? resolve() : setTimeout(resolve, Number(KILL_AFTER))))
        die()
      }
      return real(path, ...rest)
    }
  }
  const append = fs.appendFileSync
  fs.appendFileSync = (path, data) => {
    if (isTurn(String(path))) {
      // What is under way in threads is done meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(KILL_AFTER))
      die()
    }
    return append(path, data)
  }
  syncBuiltinESMExports()
}
