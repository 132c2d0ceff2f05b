"""PyTorch's AdamW and diffusers' noise schedules, for the tests of io.sfumato.training: python make.py writes golden.safetensors.

Keys: adamw.{w,b}.K the parameters after K steps, adamw.{w,b}.grad.K the gradients before step K + 1, adamw.norm their norms; alphas.*.
"""
import os

import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

torch.manual_seed(11)
out = {}
w, b = torch.nn.Parameter(torch.randn(3, 4)), torch.nn.Parameter(torch.randn(5))
optimizer = torch.optim.AdamW([{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}], betas=(0.9, 0.99), eps=1e-8)
norms = []
for k in range(6):
    out[f"adamw.w.{k}"], out[f"adamw.b.{k}"] = w.detach().clone(), b.detach().clone()
    # Every other gradient is longer than the clipping norm of 1.
    w.grad, b.grad = torch.randn(3, 4) * (0.05 if k % 2 else 2), torch.randn(5) * (0.05 if k % 2 else 2)
    out[f"adamw.w.grad.{k}"], out[f"adamw.b.grad.{k}"] = w.grad.clone(), b.grad.clone()
    norms.append(torch.nn.utils.clip_grad_norm_([w, b], 1.0))
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * (k + 1)
    optimizer.step()
out["adamw.w.6"], out["adamw.b.6"] = w.detach().clone(), b.detach().clone()
out["adamw.norm"] = torch.stack(norms)
for name, zero in ("plain", False), ("zero_snr", True):
    out[f"alphas.{name}"] = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                                          rescale_betas_zero_snr=zero).alphas_cumprod
save_file({k: v.contiguous() for k, v in out.items()}, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.safetensors"))
