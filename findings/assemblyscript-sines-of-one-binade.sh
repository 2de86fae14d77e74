#!/usr/bin/env bash
# AssemblyScript 0.28.20: Mathf.sin, cos and tan are right to the last bits of float32 for arguments of every size but
# one: from 2^89 to 2^90, that is 6.2e26 to 1.2e27, every result is that of another angle, off by up to 2. Arguments
# above π 2^28 are multiplied by 192 bits of 2/π that are cut out of a table of 64-bit words; where the cut falls on
# the edge of a word it shifts by 64, which in WebAssembly is a shift by 0. The exponent 25, the only other such one,
# takes the way of small arguments. Math.sin of f64 is right everywhere.
# Guess before the run: all 128 binades from 1 on are within 2e-7 of Math.sin. Exits with 1 when that has come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund assemblyscript@0.28.20
cat > sines.ts <<'TS'
export function sin(x: f32): f32 { return Mathf.sin(x) }
export function cos(x: f32): f32 { return Mathf.cos(x) }
TS
npx asc sines.ts -O3 --runtime stub --outFile sines.wasm
cat > show.mjs <<'JS'
import { readFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync('node_modules/assemblyscript/package.json', 'utf8'))
console.log('assemblyscript', version, 'Node', process.version)
const { instance } = await WebAssembly.instantiate(readFileSync('sines.wasm'), {})
const { sin, cos } = instance.exports
const TRIED = 4096 // arguments of each binade
const wrong = []
let [count, worst, elsewhere] = [0, 0, 0]
for (let exponent = 0; exponent < 128; exponent++) {
  let [differing, largest] = [0, 0]
  for (let k = 0; k < TRIED; k++) {
    const x = Math.fround(2 ** exponent * (1 + k / TRIED))
    const apart = Math.max(Math.abs(sin(x) - Math.sin(x)), Math.abs(cos(x) - Math.cos(x)))
    if (apart > 2e-7) differing++
    largest = Math.max(largest, apart)
  }
  if (differing > 0) {
    wrong.push(exponent)
    ;[count, worst] = [differing / TRIED, largest]
  } else elsewhere = Math.max(elsewhere, largest)
}
const x = 2 ** 89
console.log(`sin(2^89): ${sin(x)}, exactly ${Math.sin(x)}; sin(2^88): ${sin(x / 2)}, exactly ${Math.sin(x / 2)}`)
console.log(`wrong binades of 0 … 127: ${wrong}; ${100 * count} % of their arguments, by up to ${worst.toFixed(3)}`)
console.log(`largest difference in all others: ${elsewhere.toExponential(1)}`)
process.exit(`${wrong}` === '89' && count > 0.99 && worst > 1.5 ? 0 : 1)
JS
node show.mjs
