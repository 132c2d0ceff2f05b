"""What PyTorch's interpolate makes of one map, for FunctionalTest: python make.py writes golden.safetensors.

Keys: x (2, 4, 6, 5), and KIND.HEIGHTxWIDTH, where KIND ends in _antialias if aliases are kept out.
"""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(5)
x = torch.randn(2, 4, 6, 5)
out = {"x": x}
for kind in ("nearest", "nearest-exact", "bilinear", "bicubic", "bilinear_antialias", "bicubic_antialias"):
    for size in ((12, 10), (9, 8), (7, 11), (4, 3)):
        mode, *antialias = kind.split("_")
        out[f"{kind}.{size[0]}x{size[1]}"] = F.interpolate(x, size=size, mode=mode, antialias=bool(antialias))
save_file(out, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.safetensors"))
