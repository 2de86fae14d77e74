import type { EChartsOption } from 'echarts'
import type { Value } from '../core/statistics.ts'
import { type Draw, escapeHtml, legendOf, type Size } from './charts.ts'
import { BAND, BLUE, FAINT, RULE, SKY, TEXT, VERMILION } from './colours.ts'

// About as wide as they are shown on a desk, so that their 13 px stay near 13 px; phones get the narrow ones.
export const WIDE: Size = { width: 960, height: 370 }
export const WIDE_LOW: Size = { width: 960, height: 270 }
export const HALF: Size = { width: 440, height: 290 }
export const HALF_LOW: Size = { width: 440, height: 180 }
export const HALF_HIGH: Size = { width: 440, height: 490 }

/** One HTML page without scripts or requests: to be opened from disk, mailed, printed. */
export function page(heading: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(heading)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

/** A name, a value, and what is to be known of it. */
export type KeyFigure = readonly [name: string, value: string, note: string]

export function keyFigureList(figures: readonly KeyFigure[]): string {
  const items = figures.map(
    ([name, value, note]) =>
      `<div><dt>${escapeHtml(name)}</dt><dd><b>${escapeHtml(value)}</b>${note && `<small>${escapeHtml(note)}</small>`}</dd></div>`,
  )
  return `<dl>\n${items.join('\n')}\n</dl>`
}

export function section(title: string, body: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${body}\n</section>`
}

interface Figure {
  id: string
  title?: string
  /** What the chart shows, for those who cannot see it. */
  label: string
  /** What to look for. */
  caption: string
  option: EChartsOption
  size: Size
  /** Whether even a single series is named. */
  legend?: boolean
  /** Drawn a second time for wide screens, where `size` would be blown up. */
  wide?: Size
}

export function figure(draw: Draw, { id, title, label, caption, option, size, legend, wide }: Figure): string {
  const chart = draw(id, label, size, option)
  return `<figure>
${title ? `<h3>${escapeHtml(title)}</h3>` : ''}
${legendList(option, legend ? 1 : 2)}
${wide ? `<div class="narrow">${chart}</div><div class="wide">${draw(`${id}-wide`, label, wide, option)}</div>` : chart}
<figcaption>${escapeHtml(caption)}</figcaption>
</figure>`
}

const SWATCHES = {
  box: 'M0 0h18v12H0z',
  line: 'M0 4.5h18v3H0z',
  dot: 'M5 6a4 4 0 1 1 8 0a4 4 0 1 1 -8 0z',
  diamond: 'M9 0l6 6l-6 6l-6 -6z',
}

function legendList(option: EChartsOption, least: number): string {
  const entries = legendOf(option)
  if (entries.length < least) return ''
  const items = entries.map(
    ({ name, color, shape }) =>
      `<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="${SWATCHES[shape]}" fill="${color}"/></svg>${escapeHtml(name)}</li>`,
  )
  return `<ul>${items.join('')}</ul>`
}

export function settingsTable(settings: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(settings).map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(text(value, ''))}</td></tr>`,
  )
  return `<table>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`
}

/** Strings as they are, everything else as compact JSON. */
export function text(value: unknown, missing: string): string {
  if (value === undefined) return missing
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function number(x: Value): string {
  if (x === null) return '\u2013'
  const precision = Math.abs(x) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 1 }
  return x.toLocaleString('en-US', precision)
}

/** 1234567 as "1.2 M". */
export function compact(x: number): string {
  return x
    .toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 })
    .replace(/[A-Z]$/, (unit) => `\u00a0${unit.replace('K', 'k')}`)
}

export function duration(seconds: number): string {
  if (seconds < 100) return `${number(seconds)}\u00a0s`
  if (seconds < 6000) return `${Math.round(seconds / 60)}\u00a0min`
  return `${number(seconds / 3600)}\u00a0h`
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

// The charts are drawn in dark ink; the dark theme replaces their few colours, which are those of charts.ts.
const CSS = `
:root { color-scheme: light dark; --page: #f5f6f8; --ink: #1c2128; --soft: #59636e; --card: #fff; --line: #dfe3e8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #14171c; --ink: #e6e9ed; --soft: #9aa4af; --card: #1d2127; --line: #333a43; }
${[
  [TEXT, '#b9c1ca'],
  [FAINT, '#8b95a0'],
  [RULE, '#2d333b'],
  [BAND, '#294a63'],
  [BLUE, '#3d96d6'],
  [SKY, '#a3daf7'],
  [VERMILION, '#f07f3c'],
]
  .map(([light, dark]) => `  svg [fill="${light}"] { fill: ${dark}; } svg [stroke="${light}"] { stroke: ${dark}; }`)
  .join('\n')}
  svg [fill="#fff"] { fill: #1d2127; } svg [stroke="#fff"] { stroke: #1d2127; }
  .acting svg { filter: invert(0.92) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 0 0 8px; }
p { margin: 0; color: var(--soft); max-width: 70ch; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 24px 0 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
dd b { display: block; font-size: 24px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
small { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 18px 14px; }
figcaption { color: var(--soft); font-size: 14px; line-height: 1.45; margin-top: 10px; max-width: 110ch; text-wrap: pretty; }
svg { display: block; width: 100%; height: auto; }
ul { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 0 0 6px; padding: 0; list-style: none; color: var(--soft); font-size: 13px; }
li { display: flex; align-items: center; gap: 7px; }
li svg { width: 18px; height: 12px; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.pair > div { display: flex; flex-direction: column; gap: 16px; }
.pair > div > figure:last-child { flex: 1; }
table { width: 100%; border-collapse: collapse; font-size: 14px; background: var(--card); border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: 6px 14px; border-top: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
td { width: 100%; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px; overflow-wrap: anywhere; }
a { color: inherit; text-underline-offset: 3px; }
i { color: var(--soft); font-style: normal; }
.note { font-size: 14px; line-height: 1.45; max-width: 110ch; margin: 12px 0; }
.stack { display: flex; flex-direction: column; gap: 16px; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 8px; border-radius: 3px; vertical-align: -1px; }
dl.variants { grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); margin-top: 12px; }
.variants dt { color: var(--ink); font-size: 14px; font-weight: 500; }
.variants dd { color: var(--soft); font-size: 13px; line-height: 1.4; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.numbers { border: 0; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td { width: auto; padding: 7px 12px; white-space: nowrap; }
.numbers td { font: inherit; font-size: 14px; text-align: right; }
.numbers thead th { border-top: 0; text-align: right; font-size: 13px; white-space: normal; vertical-align: bottom; }
.numbers tbody th { color: var(--ink); }
.grids { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px; margin-bottom: 16px; }
.scroll + .pair, .pair + .pair { margin-top: 16px; }
.maps { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; }
.acting svg { max-width: 480px; border: 1px solid var(--line); border-radius: 6px; }
.maps svg { border: 1px solid var(--line); border-radius: 6px; }
.maps span { display: block; margin-top: 4px; color: var(--soft); font-size: 13px; }
@media screen and (max-width: 900px) { dl:not(.variants) { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 640px) {
  main { padding: 24px 14px 40px; }
  h1 { font-size: 24px; }
  dl:not(.variants) { grid-template-columns: 1fr 1fr; gap: 10px; }
  figure { padding: 12px 10px 10px; }
  .pair { grid-template-columns: 1fr; }
  .maps { grid-template-columns: 1fr 1fr; }
  .wide { display: none; }
  .narrow { display: block; }
  th { white-space: normal; }
}
@page { margin: 14mm; }
@media print {
  :root { --page: #fff; }
  body { font-size: 11pt; }
  main { padding: 0; }
  dl:not(.variants) { grid-template-columns: repeat(3, 1fr); }
  .scroll { overflow: visible; }
  .numbers th, .numbers td { padding: 4px 5px; font-size: 8pt; white-space: normal; }
  figure, dl, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`

/** A table whose first column names the row, wide enough to be scrolled on a phone. Cells are HTML. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) =>
    row.map((cell, c) => (c === 0 ? `<th scope="row">${cell}</th>` : `<td>${cell}</td>`)).join('')
  return scrolled(
    'scroll',
    'Table',
    `<table class="numbers">
<thead><tr>${head.map(columnHead).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n')}
</tbody>
</table>`,
  )
}

/** The heading of a column, HTML; above the names of the rows there may be none. */
export const columnHead = (cell: string): string => (cell === '' ? '<td></td>' : `<th scope="col">${cell}</th>`)

/** HTML that may be wider than a phone: by finger, and by keyboard once it has the focus. */
export const scrolled = (kind: 'scroll' | 'wide-table', label: string, content: string): string =>
  `<div class="${kind}" role="group" aria-label="${label}" tabindex="0">${content}</div>`
