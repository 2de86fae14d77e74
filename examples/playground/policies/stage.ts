import type { EnvironmentSpec, Scene } from 'steinrl'
import { drawCanvas } from 'steinrl/render'
import { fitCanvas, make, short } from '../shared/page.ts'
import type { Episode } from './protocol.ts'

/** Frames a second at which Gymnasium shows a task; 30 for all others. */
const FRAME_RATES: Readonly<Record<string, number>> = { 'CartPole-v1': 50, 'Acrobot-v1': 15, 'MultiGoal-v0': 10 }
/** How long the end of an episode stays in sight. */
const REST_MS = 700
/** A picture that stands still is replaced this often at most. */
const STILL_MS = 3000
const WIDEST = 2.6
const NARROWEST = 1

export interface StageOptions {
  readonly spec: EnvironmentSpec
  readonly actors: number
  /** How many cards there are at most. A single actor plays as many episodes at a time. */
  readonly most: number
  /** Whether the policies move, or only the end of an episode is shown. */
  readonly moves: boolean
  /** Asks for an episode of a particle in a place; it is handed to show() some time later. */
  ask(place: number, particle: number): void
  choose(particle: number): void
}

/** Policies that act side by side. */
export interface Stage {
  show(episode: Episode): void
  choose(particle: number | null): void
  end(): void
}

interface Card {
  readonly element: HTMLButtonElement
  readonly canvas: HTMLCanvasElement
  readonly result: HTMLElement
  episode: Episode | null
  /** Time at which the episode began on the page. */
  began: number
  /** Whether another one has been asked for. */
  asked: boolean
  /** Frame that is drawn. */
  frame: number
}

export function createStage(host: HTMLElement, { spec, actors, most, moves, ask, choose }: StageOptions): Stage {
  const rate = FRAME_RATES[spec.id] ?? 30
  const alone = actors === 1
  const cards = Array.from({ length: alone ? most : Math.min(most, actors) }, (_, place) =>
    createCard(alone ? `Episode ${place + 1}` : `Policy ${place + 1}`, () => choose(alone ? 0 : place)),
  )
  host.replaceChildren(...cards.map(({ element }) => element))
  let ended = false
  for (const card of cards)
    fitCanvas(card.canvas, () => {
      card.frame = -1
    })
  const request = (place: number) => {
    cards[place].asked = true
    ask(place, alone ? 0 : place)
  }
  cards.forEach((_, place) => void request(place))

  const tick = (now: number) => {
    if (ended) return
    cards.forEach((card, place) => {
      if (!card.episode) return
      const { rewards } = card.episode
      // The time of a frame may be before that of an episode which arrived since.
      const at = moves ? Math.max(Math.floor(((now - card.began) * rate) / 1000), 0) : rewards.length
      const frame = Math.min(at, rewards.length)
      if (frame !== card.frame) draw(card, spec, frame)
      const over = moves ? (rewards.length * 1000) / rate + REST_MS : STILL_MS
      if (!card.asked && now - card.began >= over) request(place)
    })
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
  return {
    show(episode) {
      const card = cards[episode.place]
      if (card) Object.assign(card, { episode, began: performance.now(), asked: false, frame: -1 })
    },
    choose(particle) {
      cards.forEach(({ element }, i) => void element.setAttribute('aria-pressed', String(!alone && i === particle)))
    },
    end() {
      ended = true
    },
  }
}

function createCard(title: string, choose: () => void): Card {
  const canvas = make('canvas', { ariaHidden: 'true' })
  const result = make('span', { className: 'result' }, '–')
  const value = make('span', {}, 'return ', result)
  const element = make('button', { type: 'button', className: 'card' }, canvas, make('span', {}, title), value)
  element.setAttribute('aria-pressed', 'false')
  element.addEventListener('click', choose)
  return { element, canvas, result, episode: null, began: 0, asked: false, frame: -1 }
}

function draw(card: Card, spec: EnvironmentSpec, frame: number): void {
  const { states, rewards, iteration } = card.episode as Episode
  card.frame = frame
  const size = states.length / (rewards.length + 1)
  const scene = (spec.render as NonNullable<EnvironmentSpec['render']>)(
    states.subarray(frame * size, (frame + 1) * size),
  )
  fitTo(card.canvas, scene)
  drawCanvas(card.canvas.getContext('2d') as CanvasRenderingContext2D, scene)
  let total = 0
  for (let t = 0; t < frame; t++) total += rewards[t]
  card.result.textContent = short(total)
  card.element.title = `Return so far${iteration === null ? '' : `, after iteration ${iteration}`}`
}

function fitTo({ style }: HTMLCanvasElement, { view: [, , width, height] }: Scene): void {
  const ratio = String(Math.min(Math.max(width / height, NARROWEST), WIDEST))
  if (style.aspectRatio !== ratio) style.aspectRatio = ratio
}
