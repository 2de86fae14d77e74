#!/usr/bin/env bash
# jest 30.5.2: toStrictEqual takes any two SharedArrayBuffers for equal, also of other bytes and of other lengths. It
# compares ArrayBuffers byte by byte, and views of shared memory too; the shared buffer itself, having no enumerable
# property, is compared as an empty object. toEqual does not look into an ArrayBuffer either, nor through a DataView.
# So a test that two threads leave the same memory cannot fail, nor one of a WebAssembly.Memory, .Global or .Module.
# node:assert tells SharedArrayBuffers and DataViews apart.
# Guess before the run: toStrictEqual tells apart what differs in its bytes. Exits with 1 when that has come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jest@30.5.2
cat > shared.test.js <<'JS'
const { deepStrictEqual } = require('node:assert')

const filled = (Kind, value, size = 8) => {
  const buffer = new Kind(size)
  new Uint8Array(buffer)[0] = value
  return buffer
}
const global = (value) => new WebAssembly.Global({ value: 'f64' }, value)
const pairs = {
  'ArrayBuffers': [filled(ArrayBuffer, 1), filled(ArrayBuffer, 2)],
  'SharedArrayBuffers': [filled(SharedArrayBuffer, 1), filled(SharedArrayBuffer, 2)],
  'SharedArrayBuffers of 8 and 16 bytes': [filled(SharedArrayBuffer, 1), filled(SharedArrayBuffer, 1, 16)],
  'views of shared memory': [1, 2].map((value) => new Uint8Array(filled(SharedArrayBuffer, value))),
  'DataViews': [1, 2].map((value) => new DataView(filled(ArrayBuffer, value))),
  'WebAssembly.Globals': [global(1), global(2)],
}
const isTold = (compare) => {
  try {
    compare()
    return false
  } catch {
    return true
  }
}
const told = {}
for (const [name, [one, other]] of Object.entries(pairs)) {
  told[name] = {
    toEqual: isTold(() => expect(one).toEqual(other)),
    toStrictEqual: isTold(() => expect(one).toStrictEqual(other)),
    assert: isTold(() => deepStrictEqual(one, other)),
  }
}

test('different contents are told apart', () => {
  for (const [name, by] of Object.entries(told)) {
    process.stdout.write(`${name}: ${Object.keys(by).filter((matcher) => by[matcher]).join(', ') || 'nothing'}\n`)
  }
  const shared = [told.SharedArrayBuffers, told['SharedArrayBuffers of 8 and 16 bytes'], told['WebAssembly.Globals']]
  expect(shared.map(({ toEqual, toStrictEqual }) => toEqual || toStrictEqual)).toEqual([false, false, false])
  expect([told.ArrayBuffers.toStrictEqual, told['views of shared memory'].toEqual]).toEqual([true, true])
  expect([told.ArrayBuffers.toEqual, told.DataViews.toEqual]).toEqual([false, false])
  expect(told.SharedArrayBuffers.assert).toBe(true)
})
JS
echo "jest $(npx jest --version), Node $(node --version); different contents are told apart by"
npx jest --silent=false 2> errors.log || { cat errors.log; exit 1; }
