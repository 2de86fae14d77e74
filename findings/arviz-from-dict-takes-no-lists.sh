#!/usr/bin/env bash
# arviz-base 1.3.1, which arviz 1.3.0 reads draws with: `from_dict` wants arrays of numpy. Draws as nested lists, which
# is what a JSON file gives, are refused for having more dimensions than a scalar, where xarray and arviz 0.x made arrays
# of them; so a program in another language cannot hand over draws by JSON alone.
# Guess before the run: lists are made arrays. Exits with 1 when that has changed. Needs Python 3.12.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet arviz-base==1.3.1
"$folder/venv/bin/python" - <<'PY'
import json
import sys

import arviz_base
import numpy as np

print("arviz-base", arviz_base.__version__)
draws = json.loads('{"mu": [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]}')
array = arviz_base.from_dict({"posterior": {name: np.asarray(value) for name, value in draws.items()}})
print("an array:", dict(array["posterior"].sizes))
try:
    print("lists:", dict(arviz_base.from_dict({"posterior": draws})["posterior"].sizes))
    sys.exit(1)
except ValueError as error:
    print("lists: ValueError:", error)
PY
