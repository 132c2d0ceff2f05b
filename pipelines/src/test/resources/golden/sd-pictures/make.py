"""Tiny Stable Diffusion models that draw from pictures, of other sizes than those of the other folders, and what diffusers makes of them.

Run: python make.py (rewrites the folders and golden files beside it, about a minute on one core, nothing is downloaded).
Requirements: those of ../sd-variants/make.py, whose parts are used.
"""
import importlib.util
import os
import shutil

import numpy as np
import torch
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("variants", os.path.join(HERE, "..", "sd-variants", "make.py"))
v = importlib.util.module_from_spec(spec)
spec.loader.exec_module(v)

from diffusers import (DDPMScheduler, HeunDiscreteScheduler, LMSDiscreteScheduler, StableDiffusionDepth2ImgPipeline,
                       StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionInstructPix2PixPipeline,
                       StableDiffusionPipeline, StableDiffusionUpscalePipeline)

SECOND, NIGHT = "two dogs near a blue lake", "night"
KEPT = ("image", "latents", "latents_in", "timesteps")


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


def mask(height, width, top, left, bottom, right):
    m = np.zeros((height, width), np.uint8)
    m[top:bottom, left:right] = 255
    return m


def record(golden, pipe, model, name, scheduler, seeds, steps, guidance=7.5, prompt=v.PROMPT, negative=v.NEGATIVE, images=1, size=(),
           inputs=None, **kw):
    """`inputs`: arrays of pictures by role; `size`: height and width, where the pipeline takes them."""
    pipe.scheduler = scheduler
    many = isinstance(prompt, list)
    pil = {k: [Image.fromarray(a) for a in x] if many and k != "depth_map" else x if k == "depth_map" else Image.fromarray(x[0])
           for k, x in inputs.items()}
    call = dict(image=pil["source_uint8"], negative_prompt=negative, num_inference_steps=steps, guidance_scale=guidance,
                num_images_per_prompt=images, output_type="pil" if "padding_mask_crop" in kw else "np", **kw)
    if "mask_uint8" in pil:
        call["mask_image"] = pil["mask_uint8"]
    if size:
        call["height"], call["width"] = size
    def once(dtype=torch.float32):
        if "depth_map" in pil:
            call["depth_map"] = torch.from_numpy(inputs["depth_map"]).to(dtype)
        gens = [torch.Generator("cpu").manual_seed(s) for s in seeds]
        with v.Recorder(pipe) as rec, torch.no_grad():
            image = pipe(prompt, generator=gens if len(gens) > 1 else gens[0], **call).images
        latents = torch.stack([s[3] for s in rec.steps])
        if "padding_mask_crop" in kw:  # laid into the picture in 8 bits
            image = [np.asarray(i, np.float32) / 255 for i in image]
        return rec, {"image": torch.from_numpy(np.stack(image)), "latents": latents, "latents_last": latents[-1]}
    rec, ref = once()
    with torch.backends.mkldnn.flags(enabled=False):
        others = {"fp32_plain_kernels": once()[1]}
    modules = (pipe.unet, pipe.vae, pipe.text_encoder)
    for m in modules:
        m.double()
    others["fp64"] = once(torch.float64)[1]
    for m in modules:
        m.float()
    tensors = {**{k: t for k, t in ref.items() if k in KEPT}, "timesteps": torch.stack([s[0] for s in rec.steps]),
               "latents_in": rec.steps[0][1], **{k: torch.from_numpy(np.squeeze(x, 0) if len(x) == 1 and k != "depth_map" else x)
                                                 for k, x in inputs.items()}}
    golden.cases.append(dict(
        name=name, model=model, pipeline=type(pipe).__name__, seed=seeds[0], seeds=seeds, prompt=prompt, negative_prompt=negative,
        steps=steps, guidance_scale=guidance, num_images_per_prompt=images, **({"height": size[0], "width": size[1]} if size else {}),
        options={k: x for k, x in kw.items() if k in ("eta", "clip_skip")},
        **{k: x for k, x in kw.items() if k in ("strength", "noise_level", "image_guidance_scale", "padding_mask_crop")},
        scheduler_class=type(scheduler).__name__, scheduler_config=dict(scheduler.config),
        tensors={k: golden.put(f"{name}/{k}", t) for k, t in tensors.items()}, spread=v.spread(ref, others)))
    s = golden.cases[-1]["spread"]
    image = ref["image"]
    clipped = float(((image <= 0) | (image >= 1)).float().mean())
    print(f"{name:32s} {tuple(image.shape)} std {float(image.std()):.3f} clipped {clipped:.0%} fp64 {s['image']['fp64']:.1e} "
          f"latents fp64 {s['latents']['fp64']:.1e}", flush=True)
    assert torch.isfinite(image).all() and image.std() > 0.02 and clipped < 0.6, name


def main():
    for entry in os.listdir(HERE):
        if os.path.isdir(os.path.join(HERE, entry)):
            shutil.rmtree(os.path.join(HERE, entry))
    golden = v.Golden("sd-pictures")
    cd, pd, cu, pu = v.CROSS_DOWN, v.PLAIN_DOWN, v.CROSS_UP, v.PLAIN_UP
    heun = lambda **kw: HeunDiscreteScheduler(steps_offset=1, **v.BETAS, **kw)
    lms = lambda **kw: LMSDiscreteScheduler(steps_offset=1, **v.BETAS, **kw)

    # three levels, an autoencoder that spans 8 pixels
    shape = dict(channels=(4, 8, 12), down=(cd, pd, cd), up=(cu, pu, cu), attention_head_dim=(1, 2, 3), norm_num_groups=2,
                 cross_attention_dim=20)
    first = dict(name="three", unet=shape, vae=dict(channels=(4, 8, 4, 4), norm_num_groups=2, scaling_factor=0.25, layers_per_block=2),
                 text=dict(width=20, layers=2, heads=4), tokenizer=(60, 32, "<|endoftext|>"))
    v.HERE = HERE
    base = v.build(3000, first)
    v.save(base, first)
    nine = v.make_unet(3010, **{**shape, "in_channels": 9, "layers_per_block": 2})
    eight = v.make_unet(3020, **{**shape, "in_channels": 8})
    five = v.make_unet(3030, **{**shape, "in_channels": 5, "use_linear_projection": True})
    for name, unet in (("nine", nine), ("eight", eight), ("five", five)):
        unet.save_pretrained(os.path.join(HERE, name, "unet"))
    parts = dict(vae=base.vae, text_encoder=base.text_encoder, tokenizer=base.tokenizer)
    bare = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    def pipeline(cls, unet=base.unet, parts=parts, **kw):
        p = cls(unet=unet, scheduler=v.ddim(), **{**parts, **(bare if cls not in (StableDiffusionDepth2ImgPipeline, StableDiffusionUpscalePipeline) else {}), **kw})
        p.set_progress_bar_config(disable=True)
        return p

    tall, wide = picture(1, 40, 24)[None], picture(2, 24, 56)[None]
    pair = np.stack([picture(3, 32, 40), picture(4, 32, 40)])
    over = pipeline(StableDiffusionImg2ImgPipeline)
    record(golden, over, "three", "over_heun", heun(), [1], 5, inputs=dict(source_uint8=tall), strength=0.65)
    record(golden, over, "three", "over_resized", v.euler(), [2], 7, inputs=dict(source_uint8=picture(5, 45, 38)[None]), strength=0.3, clip_skip=1)
    record(golden, over, "three", "over_generators", v.euler_a(), [3, 4], 6, images=2, inputs=dict(source_uint8=wide), strength=0.5)
    record(golden, over, "three", "over_two_pictures", v.ddim(), [5], 4, prompt=[v.PROMPT, SECOND], negative=[v.NEGATIVE, NIGHT],
           inputs=dict(source_uint8=pair), strength=0.75, eta=0.4)
    record(golden, over, "three", "over_no_guidance_v", v.dpm(prediction_type="v_prediction"), [6], 8, guidance=1.0, negative=None,
           inputs=dict(source_uint8=wide), strength=0.9)

    inpaint = pipeline(StableDiffusionInpaintPipeline)
    record(golden, inpaint, "three", "mask_pndm", v.pndm(), [10], 6, size=(40, 24), strength=0.7,
           inputs=dict(source_uint8=tall, mask_uint8=mask(40, 24, 7, 3, 30, 20)[None]))
    record(golden, inpaint, "three", "mask_heun_resized", heun(), [11], 4, size=(32, 64), strength=1.0,
           inputs=dict(source_uint8=wide, mask_uint8=picture(6, 24, 56, 1)[..., 0][None]))
    record(golden, inpaint, "three", "mask_euler_a_two_images", v.euler_a(), [12], 4, images=2, size=(40, 24), strength=0.9,
           inputs=dict(source_uint8=tall, mask_uint8=mask(40, 24, 0, 0, 17, 24)[None]))
    record(golden, inpaint, "three", "mask_two_pictures_generators", v.dpm(), [13, 14], 5, size=(32, 40), strength=0.8,
           prompt=[v.PROMPT, SECOND], negative=[v.NEGATIVE, NIGHT],
           inputs=dict(source_uint8=pair, mask_uint8=np.stack([mask(32, 40, 4, 4, 20, 36), mask(32, 40, 16, 0, 32, 20)])))
    inpaint9 = pipeline(StableDiffusionInpaintPipeline, nine)
    record(golden, inpaint9, "nine", "nine_lms", lms(), [15], 5, size=(24, 56), strength=1.0,
           inputs=dict(source_uint8=wide, mask_uint8=mask(24, 56, 5, 9, 24, 40)[None]))
    record(golden, inpaint9, "nine", "nine_strength_two_images", v.euler(), [16], 5, images=2, size=(40, 24), strength=0.6,
           inputs=dict(source_uint8=tall, mask_uint8=mask(40, 24, 7, 3, 30, 20)[None]))
    record(golden, inpaint9, "nine", "nine_cropped", v.ddim(), [17], 3, size=(32, 32), strength=1.0, padding_mask_crop=5,
           inputs=dict(source_uint8=picture(8, 64, 72)[None], mask_uint8=mask(64, 72, 20, 30, 41, 46)[None]))

    edit = pipeline(StableDiffusionInstructPix2PixPipeline, eight)
    record(golden, edit, "eight", "edit_ddim", v.ddim(), [20], 4, inputs=dict(source_uint8=tall), image_guidance_scale=1.5)
    record(golden, edit, "eight", "edit_euler_a_two_images", v.euler_a(), [21], 4, images=2, guidance=4.0,
           inputs=dict(source_uint8=wide), image_guidance_scale=2.2)
    record(golden, edit, "eight", "edit_no_guidance", v.euler(), [22], 3, inputs=dict(source_uint8=wide), image_guidance_scale=0.9)

    depth = pipeline(StableDiffusionDepth2ImgPipeline, five, depth_estimator=None, feature_extractor=None)
    depths = lambda seed, h, w: picture(seed, h, w, 1)[..., 0].astype(np.float32)[None] * 0.031 + 1.5
    record(golden, depth, "five", "depth_dpmpp_2m", v.dpm(), [30], 5, inputs=dict(source_uint8=tall, depth_map=depths(31, 40, 24)), strength=0.8)
    record(golden, depth, "five", "depth_two_images", v.euler(), [31], 4, images=2, strength=1.0,
           inputs=dict(source_uint8=wide, depth_map=depths(32, 12, 30)))

    # enlarging, with latents of three channels, each of 2 pixels
    large = dict(name="large", unet=dict(channels=(8, 4), down=(pd, cd), up=(cu, pu), in_channels=6, out_channels=3, norm_num_groups=4,
                                         attention_head_dim=(2, 1), num_class_embeds=30, only_cross_attention=True, use_linear_projection=True),
                 vae=dict(channels=(8, 4), latent_channels=3, norm_num_groups=2, scaling_factor=0.08333),
                 text=dict(width=12, layers=1, heads=2, hidden_act="gelu"), tokenizer=(40, 16, "!"))
    lbase = v.build(3100, large)
    v.save(lbase, large)
    low = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    low.save_pretrained(os.path.join(HERE, "large", "low_res_scheduler"))
    up = pipeline(StableDiffusionUpscalePipeline, lbase.unet, dict(vae=lbase.vae, text_encoder=lbase.text_encoder, tokenizer=lbase.tokenizer),
                  low_res_scheduler=low, safety_checker=None, feature_extractor=None, watermarker=None, max_noise_level=29)
    record(golden, up, "large", "enlarge_ddim", v.ddim(prediction_type="v_prediction"), [40], 3, inputs=dict(source_uint8=picture(41, 12, 20)[None]), noise_level=29)
    record(golden, up, "large", "enlarge_two_images", v.euler_a(), [41], 3, images=2, guidance=1.0, negative=None,
           inputs=dict(source_uint8=picture(42, 20, 8)[None]), noise_level=3)
    golden.save(HERE)


if __name__ == "__main__":
    main()
