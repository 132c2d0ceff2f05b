"""Features of two sets and their Frechet distance by pytorch-fid 0.3.0: python make.py > golden.json"""
import json

import numpy as np
from pytorch_fid.fid_score import calculate_frechet_distance


def distance(a, b):
    return float(calculate_frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)))


rng = np.random.default_rng(0)
mix = rng.normal(size=(12, 12))
a = (rng.normal(size=(60, 12)) @ mix).round(6)
b = (rng.normal(size=(50, 12)) @ mix * 0.8 + 0.3).round(6)
print(json.dumps({"a": a.tolist(), "b": b.tolist(), "fid": distance(a, b), "few": 6, "fid_few": distance(a[:6], b[:6])}))
