"""diffusers' UVit2DModel with biases and widths that differ: python make.py, beside this file."""
import json
import pathlib

import torch
from diffusers import UVit2DModel
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
VARIANTS = {
    "biased": dict(hidden_size=12, use_bias=True, cond_embed_dim=5, micro_cond_encode_dim=6, micro_cond_embed_dim=30, encoder_hidden_size=7,
                   vocab_size=21, codebook_size=17, in_channels=10, block_out_channels=8, num_res_blocks=2, downsample=True, upsample=True,
                   block_num_heads=4, num_hidden_layers=1, num_attention_heads=3, intermediate_size=9, layer_norm_eps=1e-5),
    "one-size": dict(hidden_size=8, cond_embed_dim=4, micro_cond_encode_dim=4, micro_cond_embed_dim=20, encoder_hidden_size=8, vocab_size=12,
                     codebook_size=11, in_channels=8, block_out_channels=8, num_res_blocks=1, block_num_heads=1, num_hidden_layers=2,
                     num_attention_heads=2, intermediate_size=12),
}
torch.set_num_threads(1)
tensors, cases = {}, []
for number, (name, config) in enumerate(VARIANTS.items()):
    torch.manual_seed(number)
    model = UVit2DModel(**config).eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * 0.3 + (1 if "norm" in key and key.endswith("weight") and p.dim() == 1 else 0))
        model.save_pretrained(HERE / name)
        put = {"codes": torch.randint(0, config["vocab_size"], (2, 6, 4)), "text": torch.randn(2, 5, config["encoder_hidden_size"]),
               "pooled": torch.randn(2, config["cond_embed_dim"]), "numbers": torch.tensor([[64., 48, 0, 2, 6], [32, 32, 1, 0, 5]])}
        put["logits"] = model(put["codes"], put["text"], put["pooled"], put["numbers"])
    cases.append({"name": name, "tensors": {k: f"{name}/{k}" for k in put}})
    tensors.update({f"{name}/{k}": v.contiguous() for k, v in put.items()})
save_file(tensors, HERE / "golden.safetensors")
(HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1))
