#!/usr/bin/env bash
# @biomejs/biome 2.6.8: where package.json names jest, the rule noFocusedTests is on for every file, and it takes any call of a
# function named `fit` for Jasmine's focused test, also where `fit` is imported from a module of the program and no test is in
# sight. Its unsafe fix renames the call to `it`, which nothing declares: the program then fails at run time.
# Guess before the run: the rule looks at names that nothing in the file declares, and leaves an imported `fit` alone.
# Seen: `fit(model)` became `it(model)`. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund @biomejs/biome@2.6.8 >/dev/null 2>&1
npm pkg set devDependencies.jest=30.5.2
npx biome --version
cat > fit.js <<'JS'
export const fit = (model) => `fitted ${model}`
JS
cat > main.js <<'JS'
import { fit } from './fit.js'

console.log(fit('a line'))
JS
npx biome check --write --unsafe main.js >/dev/null 2>&1 || true
echo "main.js after the fix:"
cat main.js
grep -q "it('a line')\|it(\"a line\")" main.js && ! grep -q "fit('a line')\|fit(\"a line\")" main.js
