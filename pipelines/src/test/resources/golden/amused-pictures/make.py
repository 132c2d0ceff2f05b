"""What diffusers' aMUSEd pipelines for pictures and masks make of the tiny model in ../amused/model: python make.py, beside this file.

Requirements: torch==2.15.0 diffusers==0.42.1 transformers==5.23.0 safetensors==0.8.0
"""
import json
import os
import pathlib

for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}.items():
    os.environ.setdefault(name, value)

import numpy as np
import torch
from diffusers import AmusedImg2ImgPipeline, AmusedInpaintPipeline, AmusedPipeline, AmusedScheduler
from PIL import Image
from safetensors.torch import save_file

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
base = AmusedPipeline.from_pretrained(HERE.parent / "amused" / "model")
MASK = base.scheduler.config.mask_token_id
tensors, cases = {}, []


def picture(seed, height, width, channels=3):
    """Soft blobs of colour under a little grain."""
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    p = np.zeros((height, width, channels))
    for _ in range(5):
        cy, cx, s = r.uniform(0, 1, 3)
        p += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (0.02 + 0.1 * s))[..., None] * r.uniform(-1, 1, channels)
    p = (p - p.min()) / (p.max() - p.min())
    return np.clip(255 * (0.9 * p + 0.05 + 0.02 * r.standard_normal(p.shape)), 0, 255).astype(np.uint8)


def box(height, width, top, left, bottom, right):
    m = np.zeros((height, width), np.uint8)
    m[top:bottom, left:right] = 255
    return m


def record(name, source, steps, strength, seed, mask=None, schedule="cosine", guidance=6.0, negative="blurry", images=1, **options):
    pipeline = AmusedImg2ImgPipeline if mask is None else AmusedInpaintPipeline
    scheduler = AmusedScheduler(mask_token_id=MASK, masking_schedule=schedule)
    pipe = pipeline(**{**base.components, "scheduler": scheduler})
    pipe.set_progress_bar_config(disable=True)
    latents, starts = [], []
    step = scheduler.step
    def recorded(*args, **kw):
        starts.append(kw["sample"].clone())
        out = step(*args, **kw)
        latents.append(out.prev_sample.clone())
        return out
    scheduler.step = recorded
    call = dict(image=Image.fromarray(source), strength=strength, num_inference_steps=steps, guidance_scale=guidance,
                negative_prompt=negative, num_images_per_prompt=images, output_type="np", **options)
    if mask is not None:
        call["mask_image"] = Image.fromarray(mask)
    image = pipe("a bowl of fruit", generator=torch.Generator("cpu").manual_seed(seed), **call).images
    put = {"source": torch.from_numpy(source), "latents_in": starts[0].to(torch.uint8), "latents": torch.stack(latents).to(torch.uint8),
           "image": torch.from_numpy(image)}
    if mask is not None:
        put["mask"] = torch.from_numpy(mask)
    tensors.update({f"{name}/{k}": t.contiguous() for k, t in put.items()})
    cases.append(dict(name=name, steps=steps, strength=strength, seed=seed, schedule=schedule, guidance_scale=guidance, images=images,
                      negative_prompt=negative, mask=mask is not None, options=options))
    print(name, len(latents), "of", steps, "masked at first", [(s == MASK).sum().item() for s in starts[0]])


record("over", picture(1, 16, 16), 5, 0.5, 0)
record("over_linear_wide", picture(2, 16, 24), 8, 0.7, 1, schedule="linear")
record("over_two_unguided", picture(3, 24, 16), 6, 0.9, 2, guidance=1.0, images=2, temperature=(1.5, 0.5))
record("over_whole_strength", picture(4, 16, 16), 4, 1.0, 3)
record("mask", picture(5, 16, 16), 6, 1.0, 4, mask=box(16, 16, 3, 4, 13, 11))
record("mask_strength_wide", picture(6, 16, 24), 7, 0.6, 5, mask=box(16, 24, 0, 9, 16, 24), micro_conditioning_crop_coord=(3, 1),
       micro_conditioning_aesthetic_score=5)
record("mask_grey_two", picture(7, 24, 24), 5, 1.0, 6, mask=picture(8, 24, 24, 1)[..., 0], images=2)
record("mask_one_code", picture(9, 16, 16), 3, 1.0, 7, mask=box(16, 16, 4, 4, 6, 6))
save_file(tensors, HERE / "golden.safetensors")
(HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")
