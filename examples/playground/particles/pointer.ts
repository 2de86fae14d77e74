import { HALF_HEIGHT, view } from './density.ts'
import type { Moment, Point } from './flow.ts'

/** What hands do on the plane: place, point at and drag particles, with a pointer or with keys. */
export interface Hands {
  /** The particle that is pointed at. */
  readonly particle: number | null
  /** Where the next key would place a particle; null while no keys are used. */
  readonly cross: Point | null
}

interface Options {
  moment(): Moment | null
  onPlace(point: Point): void
  onDrag(particle: number, point: Point): void
  onChange(): void
}

/** Pixels of the page around a particle that belong to it: more for a finger. */
const GRIP = { mouse: 10, touch: 20 }
/** The same for a click that wobbles. */
const WOBBLE = 4

export function watchHands(canvas: HTMLCanvasElement, { moment, onPlace, onDrag, onChange }: Options): Hands {
  const hands = { particle: null as number | null, cross: null as Point | null }
  let pressed: { left: number; top: number; particle: number | null; dragging: boolean } | null = null

  const pointOf = ({ offsetX, offsetY }: PointerEvent): Point =>
    view({ width: canvas.clientWidth, height: canvas.clientHeight }).point(offsetX, offsetY)
  const under = (event: PointerEvent) => {
    const grip = event.pointerType === 'touch' ? GRIP.touch : GRIP.mouse
    return nearest(
      moment(),
      pointOf(event),
      grip / view({ width: canvas.clientWidth, height: canvas.clientHeight }).scale,
    )
  }
  const point = (particle: number | null) => {
    if (particle === hands.particle) return
    hands.particle = particle
    onChange()
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    pressed = { left: event.offsetX, top: event.offsetY, particle: under(event), dragging: false }
    canvas.setPointerCapture(event.pointerId)
    hands.cross = null
    point(pressed.particle)
  })
  // Comes behind pointerdown. A finger on a particle drags it; elsewhere it moves the page.
  canvas.addEventListener('touchstart', (event) => pressed?.particle != null && event.preventDefault(), {
    passive: false,
  })
  canvas.addEventListener('pointermove', (event) => {
    if (!pressed) return point(under(event))
    const { left, top, particle } = pressed
    pressed.dragging ||= Math.hypot(event.offsetX - left, event.offsetY - top) > WOBBLE
    if (particle === null || !pressed.dragging) return
    onDrag(particle, pointOf(event))
    onChange()
  })
  canvas.addEventListener('pointerup', (event) => {
    if (pressed && pressed.particle === null && !pressed.dragging) onPlace(pointOf(event))
    pressed = null
    if (event.pointerType === 'touch') point(null)
  })
  canvas.addEventListener('pointercancel', () => {
    pressed = null
  })
  canvas.addEventListener('pointerleave', () => !pressed && point(null))

  // Keys go to the frame of the canvas, which takes the focus.
  const frame = canvas.parentElement as HTMLElement
  frame.tabIndex = 0
  frame.addEventListener('keydown', (event) => {
    const step = event.shiftKey ? 1 : 0.25
    const moves: Record<string, Point> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    }
    if (event.key === 'Enter') onPlace(hands.cross ?? [0, 0])
    else if (!Object.hasOwn(moves, event.key)) return
    const [dx, dy] = moves[event.key] ?? [0, 0]
    const [x, y] = hands.cross ?? [0, 0]
    const across = (HALF_HEIGHT * canvas.clientWidth) / canvas.clientHeight
    hands.cross = [within(x + dx, across), within(y + dy, HALF_HEIGHT)]
    event.preventDefault()
    onChange()
  })
  frame.addEventListener('blur', () => {
    hands.cross = null
    onChange()
  })
  return hands
}

const within = (value: number, limit: number) => Math.min(Math.max(value, -limit), limit)

function nearest(moment: Moment | null, [x, y]: Point, reach: number): number | null {
  let best: number | null = null
  let least = reach
  for (let i = 0; i < (moment?.count ?? 0); i++) {
    const distance = Math.hypot((moment?.x[2 * i] ?? 0) - x, (moment?.x[2 * i + 1] ?? 0) - y)
    if (distance > least) continue
    least = distance
    best = i
  }
  return best
}
