/** What the page is built with: elements, colours, and what the reader prefers. */

/** The element with this id, which the page has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

/** A new element with properties and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<Record<keyof HTMLElementTagNameMap[Tag], unknown>> & Record<string, unknown> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    // `for` and `output.for` have no writable property of one name.
    if (name === 'htmlFor') element.setAttribute('for', String(value))
    else Object.assign(element, { [name]: value })
  }
  element.append(...children)
  return element
}

export const write = (id: string, text: string): void => {
  const element = byId(id)
  // Nothing is laid out again for a text that stays.
  if (element.textContent !== text) element.textContent = text
}

/** The value of a CSS variable now: canvases follow the page's light and dark. */
export const colour = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim()

const dark = matchMedia('(prefers-color-scheme: dark)')
export const onThemeChange = (redraw: () => void): void => dark.addEventListener('change', redraw)

/** Whether the reader asked for as little motion as possible: then nothing moves unasked. */
export const prefersStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches

/** Makes a canvas as large as its box, in device pixels, and says so on every change of its size. */
export function fitCanvas(canvas: HTMLCanvasElement, onSize: () => void): void {
  new ResizeObserver(() => {
    const ratio = devicePixelRatio
    const width = Math.round(canvas.clientWidth * ratio)
    const height = Math.round(canvas.clientHeight * ratio)
    if (width === 0 || (canvas.width === width && canvas.height === height)) return
    canvas.width = width
    canvas.height = height
    onSize()
  }).observe(canvas)
}

/** A function that runs `draw` in the next frame, once however often it was called before that. */
export function onceAFrame(draw: () => void): () => void {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      draw()
    })
  }
}

/** A number for people: three digits unless it is whole, no exponents where they can be avoided. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e6) return String(value)
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1)
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
