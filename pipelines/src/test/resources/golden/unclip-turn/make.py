"""Spherical interpolation by PyTorch in float64, as Ramesh et al. 2022 (3.2 and 3.3) have it, on embeddings that are not of length one. python make.py, here."""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize


def slerp(a, b, t):
    omega = torch.acos((a * b).sum(-1, keepdim=True))
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)


def main():
    g = torch.Generator().manual_seed(1)
    a, b, c = (torch.randn(4, 12, generator=g, dtype=torch.float64) * s for s in (1.0, 2.0, 0.5))
    t = torch.tensor([[0.0], [0.3], [0.5], [1.0]], dtype=torch.float64)
    lengths = (1 - t) * a.norm(dim=-1, keepdim=True) + t * b.norm(dim=-1, keepdim=True)
    between = slerp(normalize(a, dim=-1), normalize(b, dim=-1), t) * lengths
    difference = normalize(normalize(c, dim=-1) - normalize(b, dim=-1), dim=-1)
    along = slerp(normalize(a, dim=-1), difference, t) * a.norm(dim=-1, keepdim=True)
    save_file({k: v.float().contiguous() for k, v in dict(a=a, b=b, c=c, shares=t, between=between, along=along).items()},
              Path(__file__).parent / "golden.safetensors")


if __name__ == "__main__":
    main()
