// node --import this: once FAIL_AFTER checkpoints are on disk, changes of files whose path holds FAIL_IN are refused
// with FAIL_CODE, as by a disk that is full (what fits is written), broken (EIO: nothing reaches it) or may only be
// read. With the code REMOVE the directory FAIL_IN is removed instead.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const { FAIL_AFTER, FAIL_CODE, FAIL_IN } = process.env

if (isMainThread && FAIL_IN) {
  let checkpoints = 0
  const real = { ...fs.promises }
  const isHit = (path) => checkpoints >= Number(FAIL_AFTER) && String(path).includes(FAIL_IN)
  const refuse = (call) => {
    throw Object.assign(new Error(`${FAIL_CODE}: as injected, ${call}`), { code: FAIL_CODE })
  }
  const half = (data) => data.slice(0, data.length >> 1)

  for (const name of ['mkdir', 'rm', 'unlink', 'rename', 'link', 'writeFile'])
    fs.promises[name] = async (path, ...rest) => {
      // A disk that is full still takes names away.
      if (isHit(path) && (FAIL_CODE === 'EROFS' || ['mkdir', 'writeFile'].includes(name))) refuse(name)
      const result = await real[name](path, ...rest)
      if (name === 'rename' && /checkpoint\/\d+\.safetensors$/.test(rest[0]) && ++checkpoints === Number(FAIL_AFTER))
        if (FAIL_CODE === 'REMOVE') await real.rm(FAIL_IN, { recursive: true })
      return result
    }
  const append = fs.appendFileSync
  fs.appendFileSync = (path, data) => {
    if (FAIL_CODE === 'REMOVE' || FAIL_CODE === 'EIO' || !isHit(path)) return append(path, data)
    if (FAIL_CODE === 'ENOSPC') append(path, half(data))
    return refuse('write')
  }
  fs.promises.open = async (path, flags) => {
    if (flags === 'w' && FAIL_CODE === 'EROFS' && isHit(path)) refuse('open')
    const file = await real.open(path, flags)
    if (!isHit(path) || FAIL_CODE === 'REMOVE') return file
    const write = file.write.bind(file)
    if (FAIL_CODE === 'ENOSPC')
      file.write = async (data) => {
        await write(half(data))
        refuse('write')
      }
    if (FAIL_CODE === 'EIO' && flags !== 'r') file.sync = async () => refuse('fsync')
    return file
  }
  syncBuiltinESMExports()
}
