"""Tiny Stable Diffusion 1 and 2 models that vary every setting that decides a shape, and what diffusers makes of them.

Run: python make.py (rewrites the folders and golden files beside it, about a minute on one core, nothing is downloaded).
Requirements: torch==2.15.0 diffusers==0.42.1 transformers==5.23.0 safetensors==0.8.0 tokenizers==0.23.3 numpy==2.4.6 regex
Weights are seeded random numbers; everything runs in float32 on the CPU. `spread` holds the size of the values and the largest
difference to the same run with plain kernels (fp32_plain_kernels) and in float64 with the same noise (fp64).
"""
import functools
import hashlib
import json
import math
import os
import shutil
import sys

for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TQDM_DISABLE": "1",
                    "DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false"}.items():
    os.environ.setdefault(name, value)

import diffusers
import numpy as np
import regex
import safetensors
import tokenizers
import torch
import transformers
from diffusers import (AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

torch.set_num_threads(1)
# diffusers reaches text_encoder.text_model for clip_skip; transformers 5 has no such level any more
CLIPTextModel.text_model = property(lambda self: self)

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = "a photo of a cat sitting on a red chair"
NEGATIVE = "ugly, blurry, low quality"
CORPUS = 2 * (PROMPT + " " + NEGATIVE + " a painting of a small house by the sea, two dogs and three birds near a blue lake at night "
              "the quick brown fox jumps over the lazy dog ")
CROSS_DOWN, PLAIN_DOWN, CROSS_UP, PLAIN_UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


# ------------------------------------------------------------------------------------------------------------------ files
def plain(o):  # what JSON can hold
    if isinstance(o, dict):
        return {str(k): plain(v) for k, v in o.items() if k != "_use_default_values"}
    if isinstance(o, (list, tuple)):
        return [plain(v) for v in o]
    return o if isinstance(o, (str, int, float, bool)) or o is None else str(o)


def write_json(path, o):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(plain(o), f, indent=1, ensure_ascii=False)
        f.write("\n")


class Golden:
    """Collects tensors and case descriptions; equal tensors are stored once."""

    def __init__(self, family):
        self.family, self.tensors, self.known, self.cases = family, {}, {}, []

    def put(self, key, t):
        t = t.detach().cpu().contiguous()
        t = t.float() if t.is_floating_point() else t
        digest = (tuple(t.shape), str(t.dtype), hashlib.sha256(t.numpy().tobytes()).hexdigest())
        if digest not in self.known:
            self.known[digest] = key
            self.tensors[key] = t.clone()
        return self.known[digest]

    def save(self, folder):
        versions = {m.__name__: m.__version__.split("+")[0] for m in (torch, diffusers, transformers, safetensors, tokenizers, np)}
        versions["python"] = sys.version.split()[0]
        save_file(self.tensors, os.path.join(folder, "golden.safetensors"), metadata={"format": "pt"})
        write_json(os.path.join(folder, "golden.json"), {"family": self.family, "versions": versions, "cases": self.cases})


# ------------------------------------------------------------------------------------------------------------------ parts
def randomize(module, seed):
    """Gives every parameter a visible random value, so that a layer that is skipped or transposed changes the result."""
    g = torch.Generator("cpu").manual_seed(seed)
    embeddings = {n for n, m in module.named_modules() if isinstance(m, torch.nn.Embedding)}
    with torch.no_grad():
        for name, p in sorted(module.named_parameters(), key=lambda kv: kv[0]):
            r = torch.randn(p.shape, generator=g)
            owner, _, leaf = name.rpartition(".")
            if owner in embeddings:
                p.copy_(0.5 * r)
            elif p.ndim >= 2:
                p.copy_(r / math.sqrt(p[0].numel()))
            else:
                p.copy_(1.0 + 0.2 * r if leaf == "weight" else 0.1 * r)
    return module.eval()


def byte_letters():
    """The printable stand-ins that byte-level BPE uses for the 256 byte values, in order, and by byte."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {b: chr(b) for b in keep}
    rest = [b for b in range(256) if b not in table]
    table.update({b: chr(256 + i) for i, b in enumerate(rest)})
    return [table[b] for b in keep + rest], table


def merge_word(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def write_tokenizer(folder, merge_count, length, pad):
    """Learns a byte-level BPE in the CLIP format and writes the four files that Stable Diffusion repositories have."""
    os.makedirs(folder, exist_ok=True)
    letters, table = byte_letters()
    counts = {}
    for w in regex.findall(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", CORPUS.lower()):
        s = [table[b] for b in w.encode("utf-8")]
        word = tuple(s[:-1] + [s[-1] + "</w>"])
        counts[word] = counts.get(word, 0) + 1
    merges = []
    while len(merges) < merge_count:
        pairs = {}
        for w, n in counts.items():
            for p in zip(w, w[1:]):
                pairs[p] = pairs.get(p, 0) + n
        merges.append(min(pairs, key=lambda p: (-pairs[p], p)))
        counts = {merge_word(w, merges[-1]): n for w, n in counts.items()}
    tokens = letters + [c + "</w>" for c in letters] + [a + b for a, b in merges] + ["<|startoftext|>", "<|endoftext|>"]
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump({t: i for i, t in enumerate(tokens)}, f, ensure_ascii=False)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    def token(c):
        return {"content": c, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    write_json(os.path.join(folder, "special_tokens_map.json"), {
        "bos_token": token("<|startoftext|>"), "eos_token": token("<|endoftext|>"), "pad_token": pad, "unk_token": token("<|endoftext|>")})
    write_json(os.path.join(folder, "tokenizer_config.json"), {
        "add_prefix_space": False, "bos_token": "<|startoftext|>", "do_lower_case": True, "eos_token": "<|endoftext|>",
        "errors": "replace", "model_max_length": length, "pad_token": pad, "tokenizer_class": "CLIPTokenizer",
        "unk_token": "<|endoftext|>"})
    return CLIPTokenizer.from_pretrained(folder)


def make_unet(seed, channels, down, up, **kw):
    settings = dict(sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, attention_head_dim=2, norm_num_groups=4,
                    cross_attention_dim=12)
    return randomize(UNet2DConditionModel(block_out_channels=channels, down_block_types=down, up_block_types=up,
                                          **{**settings, **kw}), seed)


def make_vae(seed, channels, **kw):
    n = len(channels)
    settings = dict(in_channels=3, out_channels=3, layers_per_block=1, latent_channels=4, norm_num_groups=4, scaling_factor=0.18215,
                    sample_size=8 * 2 ** (n - 1))
    vae = AutoencoderKL(block_out_channels=channels, down_block_types=("DownEncoderBlock2D",) * n,
                        up_block_types=("UpDecoderBlock2D",) * n, **{**settings, **kw})
    randomize(vae, seed)
    with torch.no_grad():  # pictures mostly inside [0,1]; a posterior of some width
        vae.decoder.conv_out.weight.mul_(0.35)
        vae.encoder.conv_out.weight.mul_(0.6)
    return vae


def make_text(seed, tok, width, layers, heads, **kw):
    settings = dict(intermediate_size=2 * width, hidden_act="quick_gelu", max_position_embeddings=tok.model_max_length,
                    vocab_size=len(tok), bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, pad_token_id=tok.pad_token_id)
    return randomize(CLIPTextModel(CLIPTextConfig(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                                                  **{**settings, **kw})), seed)


# --------------------------------------------------------------------------------------------------------------- variants
def variants():
    """name -> unet, vae, text, tokenizer (merges, length, pad) and how the files are written."""
    end = "<|endoftext|>"
    return {
        "one-level": dict(
            unet=dict(channels=(8,), down=(CROSS_DOWN,), up=(CROSS_UP,), in_channels=3, out_channels=3, attention_head_dim=1,
                      norm_num_groups=8, act_fn="gelu", flip_sin_to_cos=False, freq_shift=1, conv_in_kernel=5, conv_out_kernel=1),
            vae=dict(channels=(8,), layers_per_block=2, latent_channels=3, norm_num_groups=2, scaling_factor=0.5),
            text=dict(width=12, layers=1, heads=1, hidden_act="gelu"), tokenizer=(40, 16, end)),
        "plain-first": dict(  # no attention at the first level nor in the middle
            unet=dict(channels=(4, 8), down=(PLAIN_DOWN, CROSS_DOWN), up=(CROSS_UP, PLAIN_UP), in_channels=8, out_channels=8,
                      layers_per_block=2, attention_head_dim=(1, 2), norm_num_groups=2, cross_attention_dim=20,
                      mid_block_type="UNetMidBlock2D"),
            vae=dict(channels=(8, 8), latent_channels=8, norm_num_groups=4, use_quant_conv=False, use_post_quant_conv=False),
            text=dict(width=20, layers=2, heads=2), tokenizer=(60, 32, end), text_names="without_text_model"),
        "three-levels": dict(
            unet=dict(channels=(4, 8, 12), down=(CROSS_DOWN, CROSS_DOWN, PLAIN_DOWN), up=(PLAIN_UP, CROSS_UP, CROSS_UP),
                      attention_head_dim=(1, 2, 4), norm_num_groups=2, cross_attention_dim=20),
            vae=dict(channels=(4, 8, 12), norm_num_groups=2),
            text=dict(width=20, layers=2, heads=4, layer_norm_eps=1e-3), tokenizer=(80, 77, end), text_names="with_position_ids"),
        "four-levels": dict(
            unet=dict(channels=(4, 4, 8, 8), down=(CROSS_DOWN,) * 3 + (PLAIN_DOWN,), up=(PLAIN_UP,) + (CROSS_UP,) * 3,
                      norm_num_groups=2),
            vae=dict(channels=(4, 4, 8, 8)), text=dict(width=12, layers=3, heads=4), tokenizer=(40, 16, end),
            sharded_unet="60KB", vae_names="convolutions"),
        "linear-projection": dict(  # as Stable Diffusion 2
            unet=dict(channels=(4, 8), down=(CROSS_DOWN, CROSS_DOWN), up=(CROSS_UP, CROSS_UP), attention_head_dim=(1, 2),
                      norm_num_groups=2, cross_attention_dim=20, use_linear_projection=True, upcast_attention=True,
                      transformer_layers_per_block=2),
            vae=dict(channels=(8, 8), norm_num_groups=8),
            text=dict(width=20, layers=4, heads=2, hidden_act="gelu", intermediate_size=28), tokenizer=(60, 32, "!")),
        "scale-shift": dict(  # no middle block at all; time embedding of its own width
            unet=dict(channels=(4, 8), down=(CROSS_DOWN, PLAIN_DOWN), up=(PLAIN_UP, CROSS_UP), layers_per_block=3, norm_num_groups=2,
                      resnet_time_scale_shift="scale_shift", time_embedding_dim=20, center_input_sample=True, norm_eps=1e-2,
                      only_cross_attention=True, mid_block_type=None, downsample_padding=0),
            vae=dict(channels=(8, 4), norm_num_groups=2, layers_per_block=3, scaling_factor=1.3),
            text=dict(width=12, layers=1, heads=2), tokenizer=(40, 16, end), vae_names="matrices"),
        "half": dict(  # files of the fp16 variant
            unet=dict(channels=(8, 16), down=(CROSS_DOWN, PLAIN_DOWN), up=(PLAIN_UP, CROSS_UP), in_channels=16, out_channels=16,
                      attention_head_dim=4, norm_num_groups=8, cross_attention_dim=64),
            vae=dict(channels=(8, 8), latent_channels=16, mid_block_add_attention=False),
            text=dict(width=64, layers=1, heads=4, intermediate_size=48), tokenizer=(80, 77, end), half=True),
        "lists": dict(  # every setting that may be one number or a list, as a list
            unet=dict(channels=(4, 8, 4), down=(CROSS_DOWN,) * 3, up=(CROSS_UP,) * 3, layers_per_block=(2, 1, 1),
                      attention_head_dim=(2, 4, 1), norm_num_groups=2, transformer_layers_per_block=(1, 2, 1),
                      only_cross_attention=(False, True, False)),
            vae=dict(channels=(8, 4), layers_per_block=2, norm_num_groups=2),
            text=dict(width=12, layers=2, heads=1, hidden_act="gelu"), tokenizer=(40, 16, end)),
        "no-attention": dict(  # the text does not matter; wide first, narrow last
            unet=dict(channels=(12, 8), down=(PLAIN_DOWN, PLAIN_DOWN), up=(PLAIN_UP, PLAIN_UP), mid_block_type="UNetMidBlock2D"),
            vae=dict(channels=(4, 4, 8)), text=dict(width=12, layers=1, heads=4), tokenizer=(40, 16, end)),
        "deep-vae": dict(
            unet=dict(channels=(8, 8), down=(CROSS_DOWN, CROSS_DOWN), up=(CROSS_UP, CROSS_UP), attention_head_dim=4, norm_eps=1e-6),
            vae=dict(channels=(4, 8, 4, 4), layers_per_block=3, norm_num_groups=2, scaling_factor=0.13025),
            text=dict(width=12, layers=2, heads=4), tokenizer=(60, 32, end)),
    }


def build(seed, v):
    folder = os.path.join(HERE, v["name"])
    merges, length, pad = v["tokenizer"]
    tok = write_tokenizer(os.path.join(folder, "tokenizer"), merges, length, pad)
    parts = dict(unet=make_unet(seed, **v["unet"]), vae=make_vae(seed + 1, **v["vae"]),
                 text_encoder=make_text(seed + 2, tok, **v["text"]))
    if v.get("half"):
        parts = {k: m.half().float() for k, m in parts.items()}
    pipe = StableDiffusionPipeline(**parts, tokenizer=tok, scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1, **BETAS),
                                   safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


OLD_ATTENTION = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}


def old_attention(key, t, convolutions):
    if ".attentions." not in key:
        return key, t
    for new, old in OLD_ATTENTION.items():
        key = key.replace(new, old)
    return key, t[:, :, None, None] if convolutions and t.ndim == 2 else t


def save(pipe, v):
    """Writes the folder as published repositories have it."""
    folder = os.path.join(HERE, v["name"])
    tokenizer = {f: open(os.path.join(folder, "tokenizer", f), "rb").read() for f in sorted(os.listdir(os.path.join(folder, "tokenizer")))}
    if v.get("half"):
        for m in (pipe.unet, pipe.vae, pipe.text_encoder):
            m.half()
        pipe.save_pretrained(folder, variant="fp16")
        for m in (pipe.unet, pipe.vae, pipe.text_encoder):
            m.float()
    else:
        pipe.save_pretrained(folder)
    if "sharded_unet" in v:
        shutil.rmtree(os.path.join(folder, "unet"))
        pipe.unet.save_pretrained(os.path.join(folder, "unet"), max_shard_size=v["sharded_unet"])
    shutil.rmtree(os.path.join(folder, "tokenizer"))
    os.makedirs(os.path.join(folder, "tokenizer"))
    for f, data in tokenizer.items():
        with open(os.path.join(folder, "tokenizer", f), "wb") as out:
            out.write(data)
    # transformers 5 leaves the text_model. level out; nearly all published files have it
    names = v.get("text_names")
    path = os.path.join(folder, "text_encoder", "model.fp16.safetensors" if v.get("half") else "model.safetensors")
    sd = load_file(path)
    assert not any(k.startswith("text_model.") for k in sd)
    if names != "without_text_model":
        sd = {"text_model." + k: t for k, t in sd.items()}
    if names == "with_position_ids":
        sd["text_model.embeddings.position_ids"] = torch.arange(v["tokenizer"][1])[None]
    save_file(sd, path, metadata={"format": "pt"})
    if "vae_names" in v:
        path = os.path.join(folder, "vae", "diffusion_pytorch_model.safetensors")
        sd = dict(old_attention(k, t, v["vae_names"] == "convolutions") for k, t in load_file(path).items())
        assert sum(".proj_attn." in k for k in sd) == 4
        save_file({k: t.contiguous() for k, t in sd.items()}, path, metadata={"format": "pt"})


# -------------------------------------------------------------------------------------------------------------- recording
class Recorder:
    """Records the normal draws, the scheduler steps and the first calls of text encoder and UNet while a pipeline runs.

    Draws are made in float32 and cast afterwards, so that a float64 run uses the same numbers.
    """

    def __init__(self, pipe):
        self.pipe, self.draws, self.steps, self.seen = pipe, [], [], {}

    def __enter__(self):
        self.randn, self.step = torch.randn, self.pipe.scheduler.step
        def randn(*args, **kw):
            want = kw.pop("dtype", None)
            out = self.randn(*args, dtype=torch.float32, **kw)
            self.draws.append(out.clone())
            return out.to(want or torch.float32)
        torch.randn = randn
        @functools.wraps(self.step)  # the pipeline looks at the signature to decide on generator and eta
        def step(model_output, timestep, sample, *args, **kw):
            before, given = sample.clone(), model_output.clone()
            out = self.step(model_output, timestep, sample, *args, **kw)
            self.steps.append((torch.as_tensor(timestep).float().reshape(()), before, given, out[0].clone()))
            return out
        self.pipe.scheduler.step = step
        def text(_m, _args, _kwargs, out):
            self.seen.setdefault("text_embeddings_prompt", out.last_hidden_state.clone())
        def unet(_m, args, kwargs, out):
            self.seen.setdefault("unet_first", out[0].clone())
            self.seen.setdefault("unet_sample", args[0].clone())
            self.seen.setdefault("unet_conditioning", kwargs["encoder_hidden_states"].clone())
        self.hooks = [self.pipe.text_encoder.register_forward_hook(text, with_kwargs=True),
                      self.pipe.unet.register_forward_hook(unet, with_kwargs=True)]
        return self

    def __exit__(self, *exc):
        torch.randn = self.randn
        del self.pipe.scheduler.step
        for h in self.hooks:
            h.remove()


def spread(reference, others):
    return {k: {"max_abs": float(r.abs().max()), **{n: float((o[k].double() - r.double()).abs().max()) for n, o in others.items()}}
            for k, r in reference.items()}


def text_to_image(golden, pipe, model, name, scheduler, seeds, height, width, steps, guidance=7.5, prompt=PROMPT, negative=NEGATIVE,
                  images=1, **options):
    """One seed: one generator for the whole batch. Several seeds: one generator for each picture."""
    pipe.scheduler = scheduler
    def once():
        gens = [torch.Generator("cpu").manual_seed(s) for s in seeds]
        with Recorder(pipe) as rec, torch.no_grad():
            image = pipe(prompt, negative_prompt=negative, height=height, width=width, num_inference_steps=steps,
                         guidance_scale=guidance, num_images_per_prompt=images, generator=gens if len(gens) > 1 else gens[0],
                         output_type="np", **options).images
        latents = torch.stack([s[3] for s in rec.steps])
        return rec, {"image": torch.from_numpy(np.stack(image)), "latents": latents, "latents_last": latents[-1], **rec.seen}
    rec, ref = once()
    with torch.backends.mkldnn.flags(enabled=False):
        others = {"fp32_plain_kernels": once()[1]}
    modules = (pipe.unet, pipe.vae, pipe.text_encoder)
    for m in modules:
        m.double()
    others["fp64"] = once()[1]
    for m in modules:
        m.float()
    prompts = prompt if isinstance(prompt, list) else [prompt]
    ids = pipe.tokenizer(prompts, padding="max_length", truncation=True, max_length=pipe.tokenizer.model_max_length,
                         return_tensors="pt").input_ids
    tensors = {**{k: t for k, t in ref.items() if k != "latents_last"}, "timesteps": torch.stack([s[0] for s in rec.steps]),
               "latents_in": rec.steps[0][1], "model_output_first": rec.steps[0][2], "input_ids": ids}
    draws = [{"call": "randn", "shape": list(t.shape), "key": golden.put(f"{name}/random.{i:03d}", t)} for i, t in enumerate(rec.draws)]
    golden.cases.append(dict(
        name=name, model=model, pipeline="StableDiffusionPipeline", seed=seeds[0], seeds=seeds, prompt=prompt, negative_prompt=negative,
        steps=steps, guidance_scale=guidance, height=height, width=width, num_images_per_prompt=images, options=options,
        scheduler_class=type(scheduler).__name__, scheduler_config=dict(scheduler.config), random=draws,
        tensors={k: golden.put(f"{name}/{k}", t) for k, t in tensors.items()}, spread=spread(ref, others)))
    image = ref["image"]
    clipped = float(((image <= 0) | (image >= 1)).float().mean())
    print(f"{name:32s} picture std {float(image.std()):.3f} clipped {clipped:.0%} fp64 {golden.cases[-1]['spread']['image']['fp64']:.1e} "
          f"latents fp64 {golden.cases[-1]['spread']['latents']['fp64']:.1e}", flush=True)
    assert torch.isfinite(image).all() and image.std() > 0.02 and clipped < 0.6, name
    return ref["image"]


def autoencode(golden, vae, model, name, seed, height, width):
    x = torch.randn((2, 3, height, width), generator=torch.Generator("cpu").manual_seed(seed)).mul(0.5).clamp(-1, 1)
    def once(x):
        with torch.no_grad():
            post = vae.encode(x).latent_dist
            return {"mean": post.mean, "logvar": post.logvar, "decoded": vae.decode(post.mean).sample,
                    "latents": (post.mean - (vae.config.shift_factor or 0)) * vae.config.scaling_factor}
    ref = once(x)
    with torch.no_grad():
        sample = vae.encode(x).latent_dist.sample(torch.Generator("cpu").manual_seed(seed))
    with torch.backends.mkldnn.flags(enabled=False):
        others = {"fp32_plain_kernels": once(x)}
    vae.double()
    others["fp64"] = once(x.double())
    vae.float()
    tensors = {"input": x, "sample": sample, **ref}
    golden.cases.append(dict(name=name, model=model, seed=seed, height=height, width=width, scaling_factor=vae.config.scaling_factor,
                             shift_factor=vae.config.shift_factor,
                             tensors={k: golden.put(f"{name}/{k}", t) for k, t in tensors.items()}, spread=spread(ref, others)))


# ------------------------------------------------------------------------------------------------------------------ cases
def pndm(**kw):
    return PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1, **BETAS, **kw)


def ddim(**kw):
    return DDIMScheduler(clip_sample=False, **{"set_alpha_to_one": False, "steps_offset": 1, **BETAS, **kw})


def euler(**kw):
    return EulerDiscreteScheduler(steps_offset=1, **BETAS, **kw)


def euler_a(**kw):
    return EulerAncestralDiscreteScheduler(steps_offset=1, **BETAS, **kw)


def dpm(**kw):
    return DPMSolverMultistepScheduler(use_karras_sigmas=True, steps_offset=1, **BETAS, **kw)


def calls():
    """Variant, name of the case, and the settings of the call."""
    return [
        ("one-level", "one_level_pndm", dict(scheduler=pndm(), seeds=[1], height=8, width=16, steps=4)),
        ("one-level", "one_level_no_guidance", dict(scheduler=euler(), seeds=[2], height=16, width=8, steps=3, guidance=1.0,
                                                    negative=None)),
        ("plain-first", "plain_first_ddim_eta", dict(scheduler=ddim(), seeds=[3], height=16, width=24, steps=3, eta=0.5)),
        ("three-levels", "three_levels_euler", dict(scheduler=euler(), seeds=[4], height=24, width=40, steps=3)),
        ("three-levels", "three_levels_clip_skip_1", dict(scheduler=ddim(), seeds=[5], height=40, width=24, steps=3, clip_skip=1)),
        ("four-levels", "four_levels_euler_a_batch", dict(scheduler=euler_a(), seeds=[6], height=40, width=24, steps=3, images=2)),
        ("four-levels", "four_levels_euler_a_generators", dict(scheduler=euler_a(), seeds=[7, 8], height=24, width=40, steps=3,
                                                               images=2)),
        ("four-levels", "four_levels_clip_skip_2", dict(scheduler=pndm(), seeds=[8], height=16, width=24, steps=3, clip_skip=2)),
        ("linear-projection", "linear_v_zero_snr_rescale", dict(
            scheduler=ddim(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"), seeds=[9],
            height=16, width=24, steps=4, guidance_rescale=0.7)),
        ("linear-projection", "linear_v_euler", dict(scheduler=euler(prediction_type="v_prediction"), seeds=[10], height=24, width=16,
                                                     steps=3, negative=None)),
        ("scale-shift", "scale_shift_dpmpp_2m_karras", dict(scheduler=dpm(), seeds=[11], height=16, width=24, steps=4)),
        ("half", "half_dpmpp_2m_karras", dict(scheduler=dpm(), seeds=[12], height=16, width=16, steps=4)),
        ("lists", "lists_ddim_generators", dict(scheduler=ddim(), seeds=[13, 14], height=16, width=24, steps=3, eta=1.0,
                                                prompt=[PROMPT, "two dogs near a blue lake"], negative=[NEGATIVE, "night"])),
        ("no-attention", "no_attention_euler_a", dict(scheduler=euler_a(), seeds=[14], height=24, width=24, steps=3)),
        ("deep-vae", "deep_vae_pndm", dict(scheduler=pndm(), seeds=[15], height=24, width=40, steps=4, guidance=3.0)),
    ]


def check_reload(pipe, v, image, settings):
    """The folder, read by the library itself, gives the same picture (it cannot read attention kernels of 1x1 convolutions)."""
    folder = os.path.join(HERE, v["name"])
    kw = {"vae": pipe.vae} if v.get("vae_names") == "convolutions" else {}
    back = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, variant="fp16" if v.get("half") else None,
                                                   torch_dtype=torch.float32, **kw)
    back.set_progress_bar_config(disable=True)
    again = text_to_image(Golden("check"), back, v["name"], "  reloaded", **settings)
    assert torch.allclose(again, image, rtol=0, atol=1e-5), v["name"]  # kernels may differ with the alignment of the file


def main():
    for entry in os.listdir(HERE):
        if os.path.isdir(os.path.join(HERE, entry)):
            shutil.rmtree(os.path.join(HERE, entry))
    golden, pipes, seen = Golden("sd-variants"), {}, set()
    table = {name: dict(v, name=name) for name, v in variants().items()}
    first = {model: settings for model, _, settings in reversed(calls())}
    for i, (name, v) in enumerate(table.items()):
        pipes[name] = build(1000 + 10 * i, v)
        pipes[name].scheduler = first[name]["scheduler"]
        save(pipes[name], v)
    for model, name, settings in calls():
        image = text_to_image(golden, pipes[model], model, name, **settings)
        if model not in seen:
            seen.add(model)
            check_reload(pipes[model], table[model], image, settings)
    golden.save(HERE)

    coder = Golden("sd-variants/vae")
    shifted = make_vae(2000, (8, 8), latent_channels=16, norm_num_groups=8, use_quant_conv=False,
                       use_post_quant_conv=False, scaling_factor=1.5305, shift_factor=0.0609)
    shifted.save_pretrained(os.path.join(HERE, "vae", "shifted"))
    autoencode(coder, shifted, "vae/shifted", "shifted", 21, 16, 12)
    autoencode(coder, pipes["three-levels"].vae, "three-levels/vae", "three_levels_odd_size", 22, 18, 13)
    autoencode(coder, pipes["four-levels"].vae, "four-levels/vae", "four_levels_old_names", 23, 16, 24)
    autoencode(coder, pipes["one-level"].vae, "one-level/vae", "one_level", 24, 8, 12)
    autoencode(coder, pipes["half"].vae, "half/vae", "half_no_attention", 25, 16, 16)
    coder.save(os.path.join(HERE, "vae"))


if __name__ == "__main__":
    main()
