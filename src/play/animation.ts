import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { requireThat } from '../core/require.ts'
import { check, positiveNumber } from '../core/schemas.ts'
import {
  elementsOf,
  requireScene,
  type Scene,
  type SvgElement,
  type SvgOptions,
  svgDocument,
  svgElement,
} from '../envs/render.ts'

/** How large and how fast drawAnimation() draws. */
export interface AnimationOptions extends SvgOptions {
  /** Scenes a second, from 1 to 50; default 30. */
  framesPerSecond?: number
}

/**
 * Scenes one after another, over and over, as an SVG document without a script (SMIL): attributes that change are
 * animated, the rest stands there once. Where shapes come and go, whole scenes are shown in turn. What does not animate
 * shows the first scene.
 *
 * @throws UsageError for no scenes and for a speed outside of 1 … 50
 */
export function drawAnimation(scenes: readonly Scene[], options: AnimationOptions = {}): string {
  refuseUnknown('drawAnimation', options, ['width', 'background', 'framesPerSecond'])
  const { width = 600, background = '#ffffff', framesPerSecond = 30 } = options
  requireScenes('drawAnimation', scenes)
  check(positiveNumber('width'), width)
  requireThat(typeof background === 'string', 'drawAnimation', 'a background that is a colour', background)
  refuseSpeed(framesPerSecond)
  const frames = scenes.map((scene) => elementsOf(scene, width))
  const duration = `${Math.round((1000 * scenes.length) / framesPerSecond)}ms`
  const draw = isSteady(frames) ? drawSteady : drawInTurn
  return svgDocument(scenes[0], width, background, draw(frames, duration))
}

/** @throws UsageError for no scenes, and for what is none */
export function requireScenes(taker: string, scenes: readonly Scene[]): void {
  requireThat(Array.isArray(scenes), taker, 'a list of scenes', scenes)
  if (scenes.length === 0) throw new UsageError(`${taker} needs at least one scene.`)
  for (const scene of scenes) requireScene(taker, scene)
}

/** @throws UsageError for a speed outside of 1 … 50 */
export function refuseSpeed(framesPerSecond: number): void {
  if (Number.isFinite(framesPerSecond) && framesPerSecond >= 1 && framesPerSecond <= 50) return
  throw new UsageError(`framesPerSecond must be a number from 1 to 50, got ${show(framesPerSecond)}.`)
}

/** Whether only attributes change. */
const isSteady = ([first, ...others]: readonly SvgElement[][]) =>
  others.every(
    (frame) =>
      frame.length === first.length &&
      frame.every(({ name, content }, k) => name === first[k].name && content === first[k].content),
  )

function drawSteady(frames: readonly SvgElement[][], duration: string): string[] {
  return frames[0].map((element, k) => {
    const animated = Object.entries(element.attributes).map(([key, first]) => {
      const values = frames.map((frame) => frame[k].attributes[key])
      if (values.every((value) => value === first)) return ''
      return animate(key, values, duration)
    })
    return svgElement(element, animated.join(''))
  })
}

function drawInTurn(frames: readonly SvgElement[][], duration: string): string[] {
  return frames.map((frame, shown) => {
    const values = frames.map((_, k) => (k === shown ? 'inline' : 'none'))
    const attributes = { display: shown === 0 ? 'inline' : 'none' }
    const inside = frame.map((element) => svgElement(element)).join('')
    return svgElement({ name: 'g', attributes, content: '' }, animate('display', values, duration) + inside)
  })
}

/** An attribute that takes values one after another, each where it differs from the one before. */
function animate(attributeName: string, all: readonly string[], dur: string): string {
  const kept = all.map((_, k) => k).filter((k) => k === 0 || all[k] !== all[k - 1])
  const values = kept.map((k) => all[k]).join(';')
  const keyTimes = kept.map((k) => String(Math.round((1e6 * k) / all.length) / 1e6)).join(';')
  const attributes = { attributeName, values, keyTimes, dur, calcMode: 'discrete', repeatCount: 'indefinite' }
  return svgElement({ name: 'animate', attributes, content: '' })
}
