"""diffusers' VQModel in tiny sizes: python make.py, beside this file."""
import json
import pathlib

import torch
from diffusers import VQModel
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
DOWN, DOWN_A, UP, UP_A = "DownEncoderBlock2D", "AttnDownEncoderBlock2D", "UpDecoderBlock2D", "AttnUpDecoderBlock2D"
VARIANTS = {
    "attention": dict(block_out_channels=[8, 12], norm_num_groups=4, layers_per_block=1, latent_channels=6, vq_embed_dim=4,
                      num_vq_embeddings=24, down_block_types=[DOWN, DOWN_A], up_block_types=[UP_A, UP]),
    "three-levels": dict(block_out_channels=[6, 12, 9], norm_num_groups=3, layers_per_block=2, latent_channels=5, vq_embed_dim=7,
                         num_vq_embeddings=31, down_block_types=[DOWN_A, DOWN, DOWN], up_block_types=[UP, UP_A, UP], act_fn="gelu"),
    "no-middle": dict(block_out_channels=[8], norm_num_groups=2, layers_per_block=1, latent_channels=3, num_vq_embeddings=16,
                      down_block_types=[DOWN], up_block_types=[UP], mid_block_add_attention=False),
}
torch.set_num_threads(1)
tensors, cases = {}, []
for number, (name, config) in enumerate(VARIANTS.items()):
    torch.manual_seed(number)
    model = VQModel(**config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * (0.3 if p.dim() > 1 else 0.2) + (1 if p.dim() == 1 and p.mean() > 0.9 else 0))
        model.save_pretrained(HERE / name)
        x = torch.rand(2, 3, 12, 20) * 2 - 1
        latents = model.encode(x).latents
        quantized, _, (_, _, indices) = model.quantize(latents)
        put = {"input": x, "latents": latents, "indices": indices.view(2, *latents.shape[2:]), "quantized": quantized,
               "reconstruction": model.decode(latents).sample}
    cases.append({"name": name, "model": name, "tensors": {k: f"{name}/{k}" for k in put}})
    tensors.update({f"{name}/{k}": v.contiguous() for k, v in put.items()})
save_file(tensors, HERE / "golden.safetensors")
(HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1))
