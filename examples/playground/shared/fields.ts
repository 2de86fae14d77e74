/** A setting that a form shows: what it is, and what it may be. */
export type Field = Slider | Choice | Toggle

interface Described {
  readonly label: string
  /** One line for a newcomer. */
  readonly hint?: string
}

export interface Slider extends Described {
  readonly kind: 'slider'
  readonly value: number
  readonly min: number
  readonly max: number
  /** Distance of two values; ignored on a logarithmic scale, which has three digits. */
  readonly step?: number
  readonly scale?: 'linear' | 'log'
}

export interface Choice<Value extends string = string> extends Described {
  readonly kind: 'choice'
  readonly value: Value
  /** What is shown for each value. */
  readonly options: Readonly<Record<Value, string>>
}

export interface Toggle extends Described {
  readonly kind: 'toggle'
  readonly value: boolean
}

export type Fields = Readonly<Record<string, Field>>
export type Value = string | number | boolean

export type Values<F extends Fields> = {
  -readonly [Name in keyof F]: F[Name] extends Slider ? number : F[Name] extends Toggle ? boolean : ChoiceOf<F[Name]>
}
type ChoiceOf<F> = F extends Choice<infer V> ? V : never

export const slider = (label: string, value: number, range: Omit<Slider, 'kind' | 'label' | 'value'>): Slider => ({
  kind: 'slider',
  label,
  value,
  ...range,
})

export const choice = <V extends string>(
  label: string,
  value: NoInfer<V>,
  options: Readonly<Record<V, string>>,
  hint?: string,
): Choice<V> => ({ kind: 'choice', label, value, options, hint })

export const toggle = (label: string, value: boolean, hint?: string): Toggle => ({ kind: 'toggle', label, value, hint })

/** The values of fields that nobody has touched. */
export function defaults<F extends Fields>(fields: F): Values<F> {
  return Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value])) as Values<F>
}

/** A value as an address tells it; null where the field does not allow it. */
export function parse(field: Field, text: string): Value | null {
  if (field.kind === 'toggle') return text === '1' ? true : text === '0' ? false : null
  if (field.kind === 'choice') return Object.hasOwn(field.options, text) ? text : null
  const number = Number(text)
  return text.trim() !== '' && number >= field.min && number <= field.max ? number : null
}

export const written = (value: Value): string => (typeof value === 'boolean' ? (value ? '1' : '0') : String(value))

/** Places of a slider: an <input type="range"> has whole numbers from 0 to this. */
const PLACES = 1000

/** Where a value stands among the places of its slider. */
export function placeOf({ min, max, scale, step = 1 }: Slider, value: number): { place: number; places: number } {
  if (scale === 'log')
    return { place: Math.round((PLACES * Math.log(value / min)) / Math.log(max / min)), places: PLACES }
  return { place: Math.round((value - min) / step), places: Math.round((max - min) / step) }
}

/** The value at a place. */
export function valueAt({ min, max, scale, step = 1 }: Slider, place: number): number {
  const value = scale === 'log' ? min * (max / min) ** (place / PLACES) : min + place * step
  return Number(value.toPrecision(scale === 'log' ? 2 : 6))
}
