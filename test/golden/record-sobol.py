"""Records the first points of scipy's Sobol sequence without scrambling: python3 record-sobol.py > sobol.json"""

import json

import scipy
from scipy.stats import qmc

points = qmc.Sobol(32, scramble=False).random(64)
source = f"scipy {scipy.__version__}, scipy.stats.qmc.Sobol(32, scramble=False).random(64)"
print(json.dumps({"source": source, "points": points.tolist()}))
