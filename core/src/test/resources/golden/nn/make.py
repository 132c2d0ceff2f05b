"""Numbers of PyTorch's layers and their gradients, for the tests of io.sfumato.nn: python make.py writes golden.safetensors.

Keys: CASE.x, CASE.weight, CASE.bias, CASE.y, and CASE.grad_... of sum(y * CASE.g).
"""
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(3)
out = {}


def case(name, function, **inputs):
    for k, v in inputs.items():
        v.requires_grad_(v.is_floating_point())
    y = function(**inputs)
    g = torch.randn_like(y)
    (y * g).sum().backward()
    out[f"{name}.y"], out[f"{name}.g"] = y, g
    for k, v in inputs.items():
        out[f"{name}.{k}"] = v
        if v.grad is not None:
            out[f"{name}.grad_{k}"] = v.grad


r = torch.randn
case("linear", lambda x, weight, bias: F.linear(x, weight, bias), x=r(2, 3, 5), weight=r(4, 5), bias=r(4))
case("linear_no_bias", lambda x, weight: F.linear(x, weight), x=r(3, 5), weight=r(4, 5))
for k, s, p in ((1, 1, 0), (3, 1, 1), (3, 2, 1), (3, 2, 0), (4, 4, 0), (5, 1, 2)):
    case(f"conv_{k}_{s}_{p}", lambda x, weight, bias: F.conv2d(x, weight, bias, s, p),
         x=r(2, 3, 8, 9), weight=r(4, 3, k, k), bias=r(4))
case("group_norm", lambda x, weight, bias: F.group_norm(x, 3, weight, bias, 1e-6), x=2 * r(2, 6, 3, 5) + 1, weight=r(6), bias=r(6))
case("layer_norm", lambda x, weight, bias: F.layer_norm(x, (7,), weight, bias, 1e-5), x=3 * r(2, 4, 7) - 1, weight=r(7), bias=r(7))
case("embedding", lambda x, weight: F.embedding(x, weight), x=torch.tensor([[1, 4, 1], [0, 5, 2]]), weight=r(6, 3))
q = dict(q=r(2, 2, 5, 4), k=r(2, 2, 5, 4), v=r(2, 2, 5, 4))
case("attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), **{n: t.clone() for n, t in q.items()})
case("attention_causal", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), **{n: t.clone() for n, t in q.items()})
mask = torch.zeros(2, 1, 1, 5)
mask[0, ..., 3:] = -math.inf
mask[1, ..., 1] = -2.5
out["attention_mask.mask"] = mask
case("attention_mask", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask), **{n: t.clone() for n, t in q.items()})


def timestep_embedding(t, width, cos_first, shift):
    """get_timestep_embedding of diffusers, models/embeddings.py."""
    half = width // 2
    exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / (half - shift)
    angles = t[:, None].float() * torch.exp(exponent)[None, :]
    waves = [torch.sin(angles), torch.cos(angles)]
    e = torch.cat(waves[::-1] if cos_first else waves, dim=-1)
    return F.pad(e, (0, 1)) if width % 2 else e


out["timestep.t"] = t = torch.tensor([0.0, 1.0, 17.25, 500.5, 999.0])
for width in (8, 9, 320):
    for cos_first in (False, True):
        for shift in (0, 1):
            out[f"timestep.{width}_{'cos' if cos_first else 'sin'}_{shift}"] = timestep_embedding(t, width, cos_first, shift)

folder = os.path.dirname(os.path.abspath(__file__))
save_file({k: v.detach().contiguous() for k, v in out.items()}, os.path.join(folder, "golden.safetensors"))
