import { UsageError } from '../core/errors.ts'
import type { RowLog, StatePart } from '../core/state.ts'
import { columns, type Replay, widthsOf } from './replay.ts'

/** A replay as a log of transitions, of which the number ever stored is known: transition t lies in row t mod C. */
export function replayPart(replay: Replay, stored: () => number): StatePart {
  const widths = widthsOf(replay)
  return {
    save(to) {
      const end = stored()
      to.log('transitions', logOf(replay, end))
    },
    load(from) {
      const { first, end, columns: found } = from.log('transitions', widths)
      const held = Math.min(end, replay.capacity)
      if (end - held < first)
        throw new UsageError(`its replay begins at transition ${first}, but ${held} of ${end} are needed.`)
      return () => {
        for (const name of columns) putRows(replay, name, found[name], { from: end - held, first, end })
        Object.assign(replay, { count: held, next: end % replay.capacity })
      }
    },
  }
}

function logOf(replay: Replay, end: number): RowLog {
  const { capacity, count } = replay
  const widths = widthsOf(replay)
  return {
    first: end - count,
    end,
    rowsFrom(from) {
      const parts = columns.map((name) => {
        const width = widths[name]
        const out = new Float32Array((end - from) * width)
        for (const [row, at, rows] of pieces(from, end, capacity))
          out.set(replay[name].subarray(row * width, (row + rows) * width), (at - from) * width)
        return [name, out]
      })
      return Object.fromEntries(parts)
    },
  }
}

function putRows(
  replay: Replay,
  name: (typeof columns)[number],
  values: Float32Array,
  { from, first, end }: { readonly from: number; readonly first: number; readonly end: number },
): void {
  const width = widthsOf(replay)[name]
  for (const [row, at, rows] of pieces(from, end, replay.capacity))
    replay[name].set(values.subarray((at - first) * width, (at - first + rows) * width), row * width)
}

/** Where transitions `from` to `end` lie in a ring: [first row, first transition, rows]. */
function pieces(from: number, end: number, capacity: number): [row: number, at: number, rows: number][] {
  const all: [number, number, number][] = []
  for (let at = from; at < end; ) {
    const row = at % capacity
    const rows = Math.min(capacity - row, end - at)
    all.push([row, at, rows])
    at += rows
  }
  return all
}
