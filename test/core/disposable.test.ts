import { afterEach, expect, jest, test } from '@jest/globals'
import { platform } from '#platform'
import { closeAll } from '../../src/core/disposable.ts'

afterEach(() => void jest.restoreAllMocks())

test('all are closed where one of them throws, and its error is thrown in the end', () => {
  const closed: number[] = []
  const first = () => {
    throw new Error('first')
  }
  expect(() => closeAll([null, { close: first }, {}, { close: () => void closed.push(2) }])).toThrow('first')
  expect(closed).toEqual([2])
})

test('an asynchronous close that fails is warned of, where it would end the process', async () => {
  const warn = jest.spyOn(platform, 'warn').mockImplementation(() => {})
  const rejected: unknown[] = []
  const note = (reason: unknown) => void rejected.push(reason)
  process.on('unhandledRejection', note)
  closeAll([{ close: (async () => Promise.reject(new Error('no link'))) as () => void }])
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('unhandledRejection', note)
  expect(rejected).toEqual([])
  expect(warn).toHaveBeenCalledWith('close() failed: no link.')
})
