import {
  type Choice,
  type Field,
  type Fields,
  placeOf,
  type Slider,
  type Toggle,
  type Value,
  type Values,
  valueAt,
} from './fields.ts'
import { byId, make } from './page.ts'

/** The controls of some fields. */
export interface Form<F extends Fields> {
  readonly values: Values<F>
  /** Sets a value as if it had been chosen, without telling. */
  set<Name extends keyof F & string>(name: Name, value: Values<F>[Name]): void
  show(name: keyof F & string, visible: boolean): void
}

export interface FormOptions<F extends Fields> {
  readonly fields: F
  readonly values: Values<F>
  /** Headings, and the names of the fields below each. */
  readonly groups: Readonly<Record<string, readonly (keyof F & string)[]>>
  /** Told after every change by hand. */
  onChange(name: keyof F & string): void
}

/** One control: its element, and how to write a value into it. */
interface Control {
  readonly element: HTMLElement
  write(value: Value): void
}

/** Builds the controls of all groups into `host`, in their order. */
export function buildForm<F extends Fields>(host: HTMLElement, options: FormOptions<F>): Form<F> {
  const { fields, groups, onChange } = options
  const values = { ...options.values }
  const controls = new Map<string, Control>()
  const prefix = host.id
  host.replaceChildren()
  for (const [title, names] of Object.entries(groups)) {
    const group = make('fieldset', {}, make('legend', {}, title))
    for (const name of names) {
      const control = controlFor(`${prefix}-${name}`, fields[name], (value) => {
        values[name] = value as Values<F>[typeof name]
        onChange(name)
      })
      control.write(values[name] as Value)
      controls.set(name, control)
      group.append(control.element)
    }
    host.append(group)
  }
  return {
    values,
    set(name, value) {
      values[name] = value
      controls.get(name)?.write(value as Value)
    },
    show(name, visible) {
      const control = controls.get(name)
      if (control) control.element.hidden = !visible
    },
  }
}

/**
 * On a phone only one group of the forms in `host` is shown at a time, so that its controls and what they change are on
 * one screen: a row of buttons chooses it. On a wide page the style sheet shows all groups, and no buttons.
 */
export function showGroups(host: HTMLElement): void {
  const groups = [...host.querySelectorAll('fieldset')]
  const before = host.querySelector('[aria-expanded=true]')?.textContent
  const title = (group: HTMLElement) => group.querySelector('legend')?.textContent ?? ''
  const buttons = groups.map((group, k) => {
    group.id = `${host.id}-group-${k}`
    return make('button', { id: `${group.id}-button`, type: 'button' }, title(group))
  })
  const choose = (chosen: number) =>
    groups.forEach((group, k) => {
      group.classList.toggle('open', k === chosen)
      buttons[k].setAttribute('aria-expanded', String(k === chosen))
    })
  buttons.forEach((button, k) => {
    button.setAttribute('aria-controls', groups[k].id)
    button.addEventListener('click', () => choose(k))
  })
  byId(`${host.id}-groups`).replaceChildren(...buttons)
  choose(
    Math.max(
      groups.findIndex((group) => title(group) === before),
      0,
    ),
  )
}

function controlFor(id: string, field: Field, tell: (value: Value) => void): Control {
  if (field.kind === 'slider') return sliderControl(id, field, tell)
  if (field.kind === 'choice') return choiceControl(id, field, tell)
  return toggleControl(id, field, tell)
}

function sliderControl(id: string, field: Slider, tell: (value: number) => void): Control {
  const output = make('output', { htmlFor: id })
  const input = make('input', { id, type: 'range', min: '0', max: String(placeOf(field, field.max).places) })
  const say = (value: number) => {
    output.textContent = String(value)
    input.setAttribute('aria-valuetext', String(value))
  }
  input.addEventListener('input', () => {
    const value = valueAt(field, input.valueAsNumber)
    say(value)
    tell(value)
  })
  const label = make('label', { htmlFor: id }, field.label)
  return {
    element: withHint(make('div', { className: 'field slider' }, label, output, input), input, field),
    write(value) {
      input.value = String(placeOf(field, Number(value)).place)
      say(Number(value))
    },
  }
}

function choiceControl(id: string, field: Choice, tell: (value: string) => void): Control {
  const options = Object.entries(field.options).map(([value, text]) => make('option', { value }, text))
  const select = make('select', { id }, ...options)
  select.addEventListener('change', () => tell(select.value))
  const label = make('label', { htmlFor: id }, field.label)
  return {
    element: withHint(make('div', { className: 'field' }, label, select), select, field),
    write(value) {
      select.value = String(value)
    },
  }
}

function toggleControl(id: string, field: Toggle, tell: (value: boolean) => void): Control {
  const input = make('input', { id, type: 'checkbox' })
  input.addEventListener('change', () => tell(input.checked))
  const label = make('label', { htmlFor: id }, field.label)
  return {
    element: withHint(make('div', { className: 'field toggle' }, input, label), input, field),
    write(value) {
      input.checked = value === true
    },
  }
}

function withHint(element: HTMLElement, input: HTMLElement, { hint }: Field): HTMLElement {
  if (!hint) return element
  const id = `${input.id}-hint`
  input.setAttribute('aria-describedby', id)
  element.append(make('p', { id, className: 'hint' }, hint))
  return element
}
