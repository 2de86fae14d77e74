import type { Scene } from '../envs/render.ts'
import { escapeHtml } from '../report/charts.ts'
import { drawAnimation, refuseSpeed } from './animation.ts'

/** What one played, and what is written below it. */
interface Shown {
  readonly scenes: readonly Scene[]
  readonly caption: string
}

/**
 * Episodes side by side as an HTML page that needs nothing else: it plays at once, with a button and a slider over the
 * scenes. They run together; those that end before the longest show their last scene.
 */
export function drawPlayer(title: string, shown: readonly Shown[], framesPerSecond: number): string {
  refuseSpeed(framesPerSecond)
  const longest = Math.max(...shown.map(({ scenes }) => scenes.length))
  const figures = shown.map(({ scenes, caption }) => {
    const last = scenes[scenes.length - 1]
    const whole = [...scenes, ...Array<Scene>(longest - scenes.length).fill(last)]
    const words = escapeHtml(caption)
    const picture = drawAnimation(whole, { width: 400, framesPerSecond }).replace(
      '<svg ',
      `<svg role="img" aria-label="${words}" `,
    )
    return `<figure>\n${picture}\n<figcaption>${words}</figcaption>\n</figure>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<div class="bar"><button type="button">Pause</button><input type="range" min="0" max="${longest - 1}" value="0" aria-label="Scene"><output>0</output></div>
<div class="all">
${figures.join('\n')}
</div>
</main>
<script>${script(framesPerSecond, longest)}</script>
</body>
</html>
`
}

const CSS = `
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif }
body { margin: 0 }
main { max-width: 1200px; margin: 0 auto; padding: 16px }
h1 { font-size: 1.25rem; margin: 0 0 12px }
.bar { display: flex; gap: 12px; align-items: center; position: sticky; top: 0; padding: 4px 0; background: Canvas }
button { font: inherit; min-width: 6em; min-height: 44px }
input { flex: 1; min-width: 0; min-height: 44px }
output { min-width: 4ch; text-align: right; font-variant-numeric: tabular-nums }
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr)); gap: 16px }
figure { margin: 0; max-width: 600px }
svg { display: block; width: 100%; height: auto; border-radius: 6px }
figcaption { padding: 4px 0; font-size: .875rem }
`

/** Runs the clocks of the pictures, which loop by themselves where it does not run. */
const script = (framesPerSecond: number, scenes: number) => `
const pictures = [...document.querySelectorAll('svg')], [button, slider, output] = ['button', 'input', 'output'].map((name) => document.querySelector(name));
const speed = ${framesPerSecond}, count = ${scenes};
let playing = true;
function show(scene) { slider.value = scene; output.value = scene; slider.setAttribute('aria-valuetext', 'scene ' + scene + ' of ' + (count - 1)); }
function set(on) { playing = on; button.textContent = on ? 'Pause' : 'Play'; for (const picture of pictures) on ? picture.unpauseAnimations() : picture.pauseAnimations(); }
function seek(scene) { for (const picture of pictures) picture.setCurrentTime((scene + .5) / speed); show(scene); }
function tick() { if (playing) show(Math.floor(pictures[0].getCurrentTime() * speed) % count); requestAnimationFrame(tick); }
button.onclick = () => set(!playing);
slider.oninput = () => { set(false); seek(Number(slider.value)); };
if (matchMedia('(prefers-reduced-motion: reduce)').matches) { set(false); seek(0); }
tick();
`
