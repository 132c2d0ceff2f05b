"""The autoregressive prior of Ramesh et al. 2022 (2.2) written in plain PyTorch from the paper, with random weights. python make.py, here."""
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

E, L, P, K, A, HEADS, WIDTH, LAYERS = 10, 5, 4, 6, 3, 2, 12, 2


def main():
    g = torch.Generator().manual_seed(5)
    rand = lambda *shape: torch.randn(shape, generator=g)
    w = {"positions": rand(1, L + 2 + P - 1, WIDTH) * 0.3, "code.weight": rand(K, WIDTH), "agreement.weight": rand(A, WIDTH)}

    def linear(name, out, width):
        w[name + ".weight"], w[name + ".bias"] = rand(out, width) * width**-0.5, rand(out) * 0.2

    def norm(name):
        w[name + ".weight"], w[name + ".bias"] = 1 + 0.2 * rand(WIDTH), rand(WIDTH) * 0.2
    linear("text_states", WIDTH, E)
    linear("text_embedding", WIDTH, E)
    linear("out", K, WIDTH)
    norm("norm_out")
    for i in range(LAYERS):
        for name in ("query", "key", "value", "attended"):
            linear(f"blocks.{i}.{name}", WIDTH, WIDTH)
        linear(f"blocks.{i}.up", 4 * WIDTH, WIDTH)
        linear(f"blocks.{i}.down", WIDTH, 4 * WIDTH)
        norm(f"blocks.{i}.norm1")
        norm(f"blocks.{i}.norm2")
    pictures = rand(40, E) @ rand(E, E)
    mean = pictures.mean(0, keepdim=True)
    axes = torch.linalg.svd(pictures - mean, full_matrices=False)[2][:P]
    along = (pictures - mean) @ axes.T
    w.update(mean=mean, axes=axes, least=along.amin(0, keepdim=True) - 0.01, most=along.amax(0, keepdim=True) + 0.01)
    texts = rand(40, E)
    dots = (pictures * texts).sum(1)
    w["edges"] = torch.quantile(dots, torch.arange(1, A) / A)

    images, embedding, states = pictures[:3], texts[:3], rand(3, L, E)
    mask = (torch.arange(L)[None] < torch.tensor([[L], [3], [1]])).float()
    codes = ((along[:3] - w["least"]) / (w["most"] - w["least"]) * K).floor().long()
    agree = torch.bucketize(dots[:3], w["edges"])
    middle = ((codes + 0.5) / K * (w["most"] - w["least"]) + w["least"]) @ axes + mean

    lin = lambda name, x: F.linear(x, w[name + ".weight"], w[name + ".bias"])
    ln = lambda name, x: F.layer_norm(x, (WIDTH,), w[name + ".weight"], w[name + ".bias"])
    x = torch.cat([lin("text_states", states), lin("text_embedding", embedding)[:, None], w["agreement.weight"][agree][:, None],
                   w["code.weight"][codes[:, :-1]]], 1) + w["positions"]
    n = x.shape[1]
    sees = torch.ones(n, n).tril().bool()[None, None] & torch.cat([mask.bool(), torch.ones(3, n - L).bool()], 1)[:, None, None]
    for i in range(LAYERS):
        y = ln(f"blocks.{i}.norm1", x)
        q, k, v = (lin(f"blocks.{i}.{name}", y).view(3, n, HEADS, -1).transpose(1, 2) for name in ("query", "key", "value"))
        score = (q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5).masked_fill(~sees, -1e4)
        x = x + lin(f"blocks.{i}.attended", (score.softmax(-1) @ v).transpose(1, 2).reshape(3, n, WIDTH))
        x = x + lin(f"blocks.{i}.down", F.gelu(lin(f"blocks.{i}.up", ln(f"blocks.{i}.norm2", x))))
    logits = lin("out", ln("norm_out", x[:, L + 1:]))
    save_file({k: v.contiguous() for k, v in w.items()}, Path(__file__).parent / "weights.safetensors")
    io = dict(images=images, embedding=embedding, states=states, mask=mask, codes=codes, agree=agree, middle=middle, logits=logits)
    save_file({k: v.contiguous() for k, v in io.items()}, Path(__file__).parent / "golden.safetensors")


if __name__ == "__main__":
    main()
