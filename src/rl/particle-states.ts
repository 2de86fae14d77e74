import { UsageError } from '../core/errors.ts'
import { arrayOf, type Field, lengthOf } from '../core/layout.ts'
import type { NumberArray } from '../core/runtime-types.ts'
import { countSchema } from '../core/schemas.ts'
import type { StatePart } from '../core/state.ts'
import type { ParticleState } from './evaluator.ts'

/** An array that a particle carries: of one length, or rows of one, of which there may be any number. */
interface CarriedField {
  readonly field: Field
  readonly grows?: boolean
}

export type CarriedFields = Readonly<Record<string, CarriedField>>

export const fixed = (fields: Readonly<Record<string, Field>>): CarriedFields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, { field }]))

export const growing = (fields: Readonly<Record<string, Field>>): CarriedFields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, { field, grows: true }]))

/**
 * What [n] particles carry, or null before the first evaluation: one array by name, that of each particle behind those
 * before it.
 *
 * @param refuse throws a UsageError where the arrays of a particle do not fit each other
 */
export function particleStatesPart(
  carried: (ParticleState | null)[],
  fields: CarriedFields,
  refuse: (state: ParticleState) => void = () => {},
): StatePart {
  return {
    save(to) {
      const states = carried.filter((state) => state !== null)
      to.value('count', states.length)
      if (states.length === 0) return
      for (const [name, { field, grows }] of Object.entries(fields)) {
        const parts = states.map((state) => state[name])
        to.array(name, joined(field, parts))
        if (grows)
          to.array(
            `${name}.lengths`,
            Int32Array.from(parts, ({ length }) => length),
          )
      }
    },
    load(from) {
      const count = from.value('count', countSchema)
      if (count !== 0 && count !== carried.length)
        throw new UsageError(`it is of ${count} particles, not of ${carried.length}.`)
      const states = Array.from(carried, (): Record<string, NumberArray> | null => (count > 0 ? {} : null))
      for (const [name, { field, grows }] of count > 0 ? Object.entries(fields) : []) {
        const lengths = grows
          ? from.array(`${name}.lengths`, new Int32Array(0), count)
          : new Int32Array(count).fill(lengthOf(field))
        const total = lengths.reduce((sum, length) => sum + length, 0)
        const all = from.array(name, arrayOf(field, 0), total)
        if (grows && lengths.some((length) => length % lengthOf(field) !== 0))
          throw new UsageError(`its ${name} has rows of another length than ${lengthOf(field)}.`)
        let at = 0
        states.forEach((state, i) => {
          ;(state as Record<string, NumberArray>)[name] = all.slice(at, at + lengths[i])
          at += lengths[i]
        })
      }
      for (const state of states) if (state) refuse(state)
      return () => void carried.splice(0, carried.length, ...states)
    },
  }
}

function joined(field: Field, parts: readonly NumberArray[]): NumberArray {
  const out = arrayOf(
    field,
    parts.reduce((sum, { length }) => sum + length, 0),
  )
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
