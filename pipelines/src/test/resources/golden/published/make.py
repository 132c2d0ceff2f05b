"""Checkpoints with exactly the names of the published ones, at tiny widths: python make.py (diffusers, transformers, safetensors).

Every tensor is filled with one number that its name in diffusers tells: crc32(name) % 997. Each model is a zip archive beside this
script. Names of the original code are checked with the library's own conversion.
"""
import binascii
import json
import os
import re
import sys
import tempfile
import types
import zipfile

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTHS = (32, 64, 32, 32)    # changes where the published ones do, so the same blocks have shortcuts
TEXT = 32
BUFFERS = ("betas alphas_cumprod alphas_cumprod_prev sqrt_alphas_cumprod sqrt_one_minus_alphas_cumprod log_one_minus_alphas_cumprod "
           "sqrt_recip_alphas_cumprod sqrt_recipm1_alphas_cumprod posterior_variance posterior_log_variance_clipped posterior_mean_coef1 "
           "posterior_mean_coef2").split()


def number(name):
    return float(binascii.crc32(name.encode()) % 997)


def filled(shapes, dtype):
    return {k: torch.full(s, number(k), dtype=dtype) for k, s in shapes.items()}


def shapes(model, prefix=""):
    return {prefix + k: tuple(v.shape) for k, v in model.state_dict().items()}


def parts(second, dtype=torch.float16):
    unet = UNet2DConditionModel(sample_size=64, block_out_channels=WIDTHS, cross_attention_dim=TEXT, attention_head_dim=(1, 2, 1, 1) if second else 8, use_linear_projection=second)
    vae = AutoencoderKL(block_out_channels=WIDTHS, layers_per_block=2, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=49408, hidden_size=TEXT, intermediate_size=4 * TEXT if not second else 2 * TEXT,
                                        num_hidden_layers=24 if second else 12, num_attention_heads=1, hidden_act="gelu" if second else "quick_gelu"))
    t = {k if k.startswith("text_model.") else "text_model." + k: s for k, s in shapes(text).items() if not k.endswith("position_ids")}
    return unet, vae, text, filled(shapes(unet), dtype), filled(shapes(vae), dtype), filled(t, dtype)


# ---- the names of the original code ----

RES = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
TOP = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2"}


def unet_name(k):
    for a, b in TOP.items():
        if k.startswith(a + "."):
            return b + k[len(a):]
    m = re.match(r"(down|up|mid)_blocks?\.?(\d*)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", k)
    side, i, kind, j, rest = m[1], int(m[2] or 0), m[3], int(m[4]), m[5]
    if kind == "resnets":
        head, tail = rest.rsplit(".", 1)
        rest = RES[head] + "." + tail
    if side == "mid":
        return f"middle_block.{1 if kind == 'attentions' else 2 * j}.{rest}"
    if kind == "downsamplers":
        return f"input_blocks.{3 * i + 3}.0.op.{rest.split('.')[1]}"
    if kind == "upsamplers":
        return f"output_blocks.{3 * i + 2}.{1 if i == 0 else 2}.{rest}"
    n = 3 * i + 1 + j if side == "down" else 3 * i + j
    return f"{'input' if side == 'down' else 'output'}_blocks.{n}.{0 if kind == 'resnets' else 1}.{rest}"


def vae_name(k):
    k = re.sub(r"encoder\.down_blocks\.(\d)\.resnets", r"encoder.down.\1.block", k)
    k = re.sub(r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample", k)
    k = re.sub(r"decoder\.up_blocks\.(\d)\.resnets", lambda m: f"decoder.up.{3 - int(m[1])}.block", k)
    k = re.sub(r"decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f"decoder.up.{3 - int(m[1])}.upsample", k)
    k = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", k)
    for a, b in (("conv_shortcut", "nin_shortcut"), ("conv_norm_out", "norm_out"), ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
                 ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"), ("mid_block.attentions.0.to_", "mid.attn_1.")):
        k = k.replace(a, b)
    return k


def open_clip(t, dtype):
    out = {"positional_embedding": t["text_model.embeddings.position_embedding.weight"], "token_embedding.weight": t["text_model.embeddings.token_embedding.weight"],
           "text_projection": torch.zeros(TEXT, TEXT, dtype=dtype), "logit_scale": torch.tensor(4.6, dtype=dtype)}
    for kind in ("weight", "bias"):
        out["ln_final." + kind] = t["text_model.final_layer_norm." + kind]
        for i in range(24):
            a, b = f"text_model.encoder.layers.{i}.", f"transformer.resblocks.{i}."
            out[f"{b}attn.in_proj_{kind}"] = torch.cat([t[f"{a}self_attn.{x}_proj.{kind}"] for x in "qkv"])
            for ours, theirs in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                out[f"{b}{theirs}.{kind}"] = t[f"{a}{ours}.{kind}"]
    return out


def single(u, v, t, second, dtype, ema):
    lu = {unet_name(k): x for k, x in u.items()}
    lv = {vae_name(k): x[:, :, None, None] if "mid_block.attentions" in k and x.ndim == 2 else x for k, x in v.items()}
    sd = {k: torch.zeros(1000) for k in BUFFERS}
    sd |= {"model.diffusion_model." + k: x for k, x in lu.items()} | {"first_stage_model." + k: x for k, x in lv.items()}
    if second:
        sd |= {"cond_stage_model.model." + k: x for k, x in open_clip(t, dtype).items()}
    else:
        sd |= {"cond_stage_model.transformer." + k: x for k, x in t.items()}
        sd["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    if ema:
        sd |= {"model_ema." + ("diffusion_model." + k).replace(".", ""): torch.zeros_like(x) for k, x in lu.items()}
        sd |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(230000, dtype=torch.int32)}
    return sd


def check(sd, unet, vae, u, v):
    """The library itself finds every tensor of its models under these names."""
    back = convert_ldm_unet_checkpoint(dict(sd), {**unet.config, "layers_per_block": 2})
    assert set(back) == set(u) and all(torch.equal(back[k], u[k]) for k in u)
    back = convert_ldm_vae_checkpoint(dict(sd), dict(vae.config))
    assert set(back) == set(v) and all(torch.equal(back[k].reshape(v[k].shape), v[k]) for k in v)
    print(len(sd), "tensors:", {p: sum(k.startswith(p) for k in sd) for p in ("model.", "first_stage_model.", "cond_stage_model.", "model_ema.")})


def write(name, files):
    """files: path -> function that writes it."""
    path = os.path.join(HERE, name + ".zip")
    with tempfile.TemporaryDirectory() as temp, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file, make in sorted(files.items()):
            there = os.path.join(temp, "file")
            make(there)
            archive.writestr(zipfile.ZipInfo(file), open(there, "rb").read(), zipfile.ZIP_DEFLATED, 9)
    print(name, os.path.getsize(path))


def tensors(sd):
    return lambda file: save_file({k: x.contiguous() for k, x in sd.items()}, file, metadata={"format": "pt"})


def text(content):
    return lambda file: open(file, "w").write(content if isinstance(content, str) else json.dumps(content, indent=1, sort_keys=True))


def folder(unet, vae, textmodel):
    tokens = {"!</w>": 0, "a</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3}
    config = {**textmodel.config.to_dict(), "architectures": ["CLIPTextModel"]}
    return {"model_index.json": text({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0", "feature_extractor": ["transformers", "CLIPImageProcessor"],
                                      "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "scheduler": ["diffusers", "PNDMScheduler"],
                                      "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}),
            "scheduler/scheduler_config.json": text({"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
                                                     "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None, "clip_sample": False}),
            "tokenizer/vocab.json": text(tokens), "tokenizer/merges.txt": text("#version: 0.2\n"), "unet/config.json": text(dict(unet.config)), "vae/config.json": text(dict(vae.config)), "text_encoder/config.json": text(config)}


def main():
    unet, vae, clip, u, v, t = parts(False)
    # Stable Diffusion 1.4 with averaged weights, as its trainer wrote it: the framework's own objects lie beside the state dict.
    sd = single(u, v, t, False, torch.float16, True)
    check(sd, unet, vae, u, v)
    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": module.__name__})
    sys.modules["pytorch_lightning"] = sys.modules["pytorch_lightning.callbacks"] = types.ModuleType("pytorch_lightning")
    sys.modules[module.__name__] = module
    lightning = {"epoch": 14, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": sd, "callbacks": {module.ModelCheckpoint: {"monitor": "val/loss_simple_ema", "best_model_score": torch.tensor(0.1)}},
                 "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4, "params": [0]}]}], "lr_schedulers": [{"last_epoch": 5}]}
    write("sd14-full-ema", {"sd-v1-4-full-ema.ckpt": lambda file: torch.save(lightning, file)})

    # The hub's folder of Stable Diffusion 1.5: older names in the autoencoder, position ids, a safety checker.
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    ov = {}
    for k, x in v.items():
        for a, b in old.items():
            k = k.replace("attentions.0." + a + ".", "attentions.0." + b + ".")
        ov[k] = x
    checker = {"vision_model.vision_model.embeddings.class_embedding": torch.zeros(8), "concept_embeds": torch.zeros(17, 8), "concept_embeds_weights": torch.zeros(17), "special_care_embeds": torch.zeros(3, 8),
               "special_care_embeds_weights": torch.zeros(3), "visual_projection.weight": torch.zeros(8, 8)}
    ids = {"text_model.embeddings.position_ids": torch.arange(77)[None]}
    base = folder(unet, vae, clip)
    write("sd15-hub", {**base, "unet/diffusion_pytorch_model.safetensors": tensors(u), "vae/diffusion_pytorch_model.bin": lambda file: torch.save(ov, file), "text_encoder/pytorch_model.bin": lambda file: torch.save({**t, **ids}, file),
                       "safety_checker/model.safetensors": tensors(checker), "safety_checker/config.json": text({}), "feature_extractor/preprocessor_config.json": text({})})

    # Half-precision variants, and the same U-Net in three shards.
    write("sd15-fp16", {**base, "unet/diffusion_pytorch_model.fp16.safetensors": tensors(u), "vae/diffusion_pytorch_model.fp16.safetensors": tensors(ov), "text_encoder/model.fp16.safetensors": tensors({**t, **ids})})
    keys = sorted(u)
    third = len(keys) // 3 + 1
    shards = {f"diffusion_pytorch_model-0000{i + 1}-of-00003.safetensors": keys[i * third:(i + 1) * third] for i in range(3)}
    index = {"metadata": {"total_size": sum(x.nbytes for x in u.values())}, "weight_map": {k: f for f, ks in shards.items() for k in ks}}
    write("sd15-shards", {**base, "unet/diffusion_pytorch_model.safetensors.index.json": text(index), **{"unet/" + f: tensors({k: u[k] for k in ks}) for f, ks in shards.items()},
                          "vae/diffusion_pytorch_model.safetensors": tensors(v), "text_encoder/model.safetensors": tensors(t)})

    unet, vae, clip, u, v, t = parts(True)
    sd = single(u, v, t, True, torch.float16, False)
    check(sd, unet, vae, u, v)
    write("sd21-768-v", {"v2-1_768-ema-pruned.safetensors": tensors(sd)})


if __name__ == "__main__":
    main()
