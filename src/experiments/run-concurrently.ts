/**
 * Runs at most `limit` generators at a time and yields what they yield as it comes, not in a fixed order. When the
 * consumer leaves or one of them throws, the others are ended: each finishes the step that it is at, and its finally
 * blocks run.
 *
 * @param limit that number, or what tells it whenever one moved on
 * @param onStop called before generators are ended early, so that long steps can be cut short
 */
export async function* merge<T>(
  starts: readonly (() => AsyncGenerator<T>)[],
  limit: number | (() => number),
  onStop: () => void = () => {},
): AsyncGenerator<T> {
  const waiting = [...starts]
  const most = () => (typeof limit === 'number' ? limit : limit())
  const active = new Map<AsyncGenerator<T>, Promise<{ from: AsyncGenerator<T>; result: IteratorResult<T> }>>()
  const advance = (from: AsyncGenerator<T>) => {
    // At the back of the queue, so that a fast one does not starve the others.
    active.delete(from)
    active.set(
      from,
      from.next().then((result) => ({ from, result })),
    )
  }
  try {
    while (true) {
      while (active.size < most() && waiting.length > 0) advance((waiting.shift() as () => AsyncGenerator<T>)())
      if (active.size === 0) return
      const { from, result } = await Promise.race(active.values())
      if (result.done) active.delete(from)
      else {
        yield result.value
        advance(from)
      }
    }
  } finally {
    if (active.size > 0) onStop()
    await Promise.allSettled([...active].flatMap(([from, step]) => [step, from.return(undefined)]))
  }
}

/**
 * Passes steps on and concludes, however they end. What they ended by is thrown, and not what the conclusion comes to
 * after it.
 */
export async function* concluded<T>(steps: AsyncIterable<T>, conclude: () => Promise<void>): AsyncGenerator<T> {
  let hasFailed = false
  try {
    for await (const step of steps) yield step
  } catch (error) {
    hasFailed = true
    throw error
  } finally {
    await conclude().catch((error: unknown) => {
      if (!hasFailed) throw error
    })
  }
}
