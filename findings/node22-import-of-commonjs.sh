#!/usr/bin/env bash
# Node 22.23.3 (as 20) and @tensorflow/tfjs-core 4.22.0, whose entry for Node is one CommonJS file of 1.2 MB: an import
# takes five times the processor time of a require() of the same file. Before it runs, the loader of ES modules looks
# through its whole text for the names that it exports. With tfjs-layers and tfjs-backend-wasm it is half a second at
# each start of a program that needs 0.08. Node 24.21.0 and 26 look in another way: 1.3 times.
# Guess before the run: import and require() differ by less than a half in every Node. Exits with 1 when that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs-core@4.22.0
cat > take.mjs <<'JS'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const before = process.cpuUsage()
const tf = process.argv[2] === 'import' ? await import('@tensorflow/tfjs-core') : require('@tensorflow/tfjs-core')
const { user, system } = process.cpuUsage(before)
if (typeof tf.matMul !== 'function') throw new Error('no tfjs')
console.log((user + system) / 1000)
JS
# The fastest of five, each in a process of its own.
fastest() { for _ in 1 2 3 4 5; do "$1" take.mjs "$2"; done | sort -n | head -1; }
for version in 24.21.0 22.23.3; do
  npm install --silent --no-audit --no-fund --prefix "node$version" "node@$version"
  node="node$version/node_modules/node/bin/node"
  imported=$(fastest "$node" import)
  required=$(fastest "$node" require)
  echo "Node $("$node" --version): import $imported ms of processor time, require() $required ms"
done
node -e "process.exit($imported / $required > 1.5 ? 0 : 1)"
