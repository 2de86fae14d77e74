import { createParticles } from './particles/view.ts'
import { type Mode, modes, readAddress, toAddress } from './shared/address.ts'
import { prepareCode } from './shared/code.ts'
import { byId, write } from './shared/page.ts'
import type { Part } from './shared/part.ts'

const root = document.documentElement
const { mode: first, settings } = readAddress(location.hash)
const none = new URLSearchParams()

const parts: Partial<Record<Mode, Part>> = {}
let mode: Mode = first

/** Parts are made when they are first seen: who came for one does not load the other. */
const makers: Record<Mode, (settings: URLSearchParams) => Promise<Part>> = {
  particles: (from) => createParticles(from, tellAddress),
  policies: async (from) => (await import('./policies/view.ts')).createPolicies(from, tellAddress),
}

/** The address leads to what is on the page. It is replaced, not added to, so that Back leaves the page. */
function tellAddress(): void {
  const part = parts[mode]
  if (part) history.replaceState(null, '', toAddress(mode, part.address()))
  for (const name of modes) byId<HTMLAnchorElement>(`to-${name}`).href = toAddress(name, parts[name]?.address() ?? {})
}

async function open(next: Mode, from: URLSearchParams): Promise<void> {
  mode = next
  root.dataset.mode = next
  for (const name of modes) {
    byId(`part-${name}`).hidden = name !== next
    parts[name]?.show(name === next)
    const link = byId(`to-${name}`)
    if (name === next) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (!parts[next]) {
    const part = await makers[next](from)
    parts[next] = part
    part.show(mode === next)
  }
  tellAddress()
  root.dataset.ready = next
}

for (const name of modes) {
  byId(`to-${name}`).addEventListener('click', (event) => {
    // Another tab is the browser's to open.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    if (name !== mode) open(name, none)
  })
}
// An address that was typed or pasted is another experiment: start afresh.
addEventListener('hashchange', () => location.reload())

byId('share').addEventListener('click', async () => {
  tellAddress()
  try {
    await navigator.clipboard.writeText(location.href)
    write('shared', 'Link copied')
  } catch {
    // Without permission the address bar has the same link.
    write('shared', 'The link is in the address bar')
  }
  setTimeout(() => write('shared', ''), 2500)
})

/** Keys that mean something by themselves where the focus is. */
const takesKeys = 'input:not([type=checkbox]):not([type=range]), select, textarea'
const takesSpace = 'button, a, select, input[type=checkbox]'

addEventListener('keydown', (event) => {
  const part = parts[mode]
  const target = event.target as HTMLElement
  const isDialog = target.closest('dialog') !== null
  if (!part || isDialog || event.ctrlKey || event.metaKey || event.altKey || target.matches(takesKeys)) return
  if (event.key === ' ' && !target.matches(takesSpace)) part.toggle()
  else if (event.key === 's') part.step()
  else if (event.key === 'r') part.reset()
  else return
  event.preventDefault()
})

prepareCode()
open(mode, settings)
