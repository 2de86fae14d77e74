#!/usr/bin/env bash
# jest 30.5.2: a share of the cores above 100 % is taken for a number of workers. `--maxWorkers=100%` is one a core, and
# with 150 %, which one writes so that suites that wait leave room for others, it is 150 of them, on any machine: jest
# starts a process for each as long as there are suites. Nothing is said.
# Guess before the run: 150 % is one and a half a core, or is refused. Exits with 1 when it is either.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jest@30.5.2
echo "test('nothing', () => {})" > one.test.js
workers() { node_modules/.bin/jest --maxWorkers="$1" --showConfig | sed -n 's/.*"maxWorkers": \([0-9]*\).*/\1/p'; }
echo "jest $(node_modules/.bin/jest --version), cores $(nproc)"
one=$(workers 100%)
more=$(workers 150%)
echo "workers with 100 %: $one, with 150 %: $more"
[ "$one" -eq "$(nproc)" ] && [ "$more" -eq 150 ]
