"""Kandinsky 2.2 in a mask and variations of a picture by Karlo, by diffusers 0.42.1 on the networks of ../unclip. python make.py, here.

Of the U-Net for inpainting only the first convolution is new, and stored; the rest is that of ../unclip/kandinsky_decoder."""
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import (DDIMScheduler, DDPMScheduler, KandinskyV22InpaintPipeline, UNet2DConditionModel, UNet2DModel,
                       UnCLIPImageVariationPipeline, UnCLIPScheduler, VQModel)
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection

HERE = Path(__file__).parent
UNCLIP = HERE.parent / "unclip"
BETAS = dict(beta_schedule="linear", beta_start=0.00085, beta_end=0.012, clip_sample=False)
tensors, cases = {}, []
torch.set_num_threads(1)


def put(key, tensor):
    tensors[key] = torch.as_tensor(tensor).clone().contiguous()


def picture(seed, width, height):
    y, x = np.mgrid[0:height, 0:width]
    f = np.random.RandomState(seed).uniform(0.05, 0.4, (3, 3))
    planes = [0.5 + 0.3 * np.sin(a * x + b * y) + 0.2 * np.cos(c * (x - y)) for a, b, c in f]
    return np.clip(np.stack(planes, -1) * 255, 0, 255).round().astype(np.uint8)


def mask(width, height):
    """A box, a diagonal and shades on both sides of the middle."""
    m = np.zeros((height, width), np.uint8)
    m[height // 4:height // 2, width // 3:2 * width // 3] = 255
    m[np.arange(16) + height - 18, np.arange(16) + 2] = 255
    m[2:6, -8:-4], m[8:12, -8:-4] = 127, 128
    return m


def record(pipe, call):
    """What the scheduler got first, what it gave at each step, the picture."""
    seen = {"start": None, "after": [], "timesteps": []}
    step = type(pipe.scheduler).step

    def recorded(output, t, x, generator=None, return_dict=True):
        seen["start"] = x.clone() if seen["start"] is None else seen["start"]
        seen["timesteps"].append(float(t))
        out = step(pipe.scheduler, output, t, x, generator=generator, return_dict=return_dict)
        seen["after"].append(out[0].clone())
        return (out[0],)
    pipe.scheduler.step = recorded
    seen["image"] = call(pipe)
    del pipe.scheduler.step
    return seen


def inpainting():
    unet = UNet2DConditionModel.from_pretrained(UNCLIP / "kandinsky_decoder", subfolder="unet")
    g = torch.Generator().manual_seed(7)
    first = torch.nn.Conv2d(9, unet.conv_in.out_channels, 3, padding=1)
    first.weight.data = torch.randn(first.weight.shape, generator=g) / 9
    first.bias.data = unet.conv_in.bias.data
    unet.conv_in = first
    unet.register_to_config(in_channels=9)
    put("conv_in", first.weight.data)
    movq = VQModel.from_pretrained(UNCLIP / "kandinsky_decoder", subfolder="movq")
    golden = load_file(UNCLIP / "golden.safetensors")
    wanted, unwanted = (golden[f"kandinsky_decoder/{key}"] for key in ("image_embeds", "negative_image_embeds"))
    for name, scheduler, seed, guidance, (w, h), count in [
            ("inpaint_ddpm", DDPMScheduler(variance_type="learned_range", **BETAS), 5, 4.0, (32, 32), 1),
            ("inpaint_ddim", DDIMScheduler(set_alpha_to_one=False, steps_offset=1, **BETAS), 6, 3.0, (48, 40), 2)]:
        pipe = KandinskyV22InpaintPipeline(unet=unet, scheduler=scheduler, movq=movq)
        pipe.set_progress_bar_config(disable=True)
        source, where = picture(seed, w + 4, h), mask(w + 4, h)
        seen = record(pipe, lambda p: p(image_embeds=wanted, negative_image_embeds=unwanted, image=Image.fromarray(source),
                                        mask_image=Image.fromarray(where), height=h, width=w, num_inference_steps=5, guidance_scale=guidance,
                                        num_images_per_prompt=count, generator=torch.Generator().manual_seed(seed), output_type="np").images)
        put(f"{name}/source_uint8", source)
        put(f"{name}/mask_uint8", where)
        put(f"{name}/timesteps", seen["timesteps"])
        put(f"{name}/latents_in", seen["start"])
        put(f"{name}/latents", torch.stack(seen["after"]))
        put(f"{name}/image", seen["image"])
        cases.append({"name": name, "scheduler_class": type(scheduler).__name__, "scheduler_config": {k: v for k, v in scheduler.config.items() if not k.startswith("_")}, "seed": seed, "count": count,
                      "guidance_scale": guidance, "width": w, "height": h, "steps": 5})
        print(name, seen["image"].shape, seen["image"].std(), np.mean((seen["image"] <= 0) | (seen["image"] >= 1)))


def variations():
    """Karlo's networks with the image encoder of the Kandinsky beside it, whose embeddings are as wide."""
    karlo, eyes = UNCLIP / "karlo", UNCLIP / "kandinsky_prior"
    pipe = UnCLIPImageVariationPipeline(
        decoder=UNet2DConditionModel.from_pretrained(karlo, subfolder="decoder"), text_encoder=CLIPTextModelWithProjection.from_pretrained(karlo, subfolder="text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(karlo / "tokenizer"), text_proj=UnCLIPTextProjModel.from_pretrained(karlo, subfolder="text_proj"),
        feature_extractor=CLIPImageProcessor.from_pretrained(eyes / "image_processor"), image_encoder=CLIPVisionModelWithProjection.from_pretrained(eyes, subfolder="image_encoder"),
        super_res_first=UNet2DModel.from_pretrained(karlo, subfolder="super_res_first"), super_res_last=UNet2DModel.from_pretrained(karlo, subfolder="super_res_last"),
        **{each: UnCLIPScheduler.from_pretrained(karlo, subfolder=each) for each in ("decoder_scheduler", "super_res_scheduler")})
    pipe.set_progress_bar_config(disable=True)
    source, seen = picture(11, 20, 16), {"latents": []}
    pipe.text_proj.register_forward_hook(lambda m, a, k, o: seen.update(embedding=k["image_embeddings"]), with_kwargs=True)
    step = type(pipe.decoder_scheduler).step

    def recorded(output, t, x, prev_timestep=None, generator=None):
        seen.setdefault("start", x.clone())
        out = step(pipe.decoder_scheduler, output, t, x, prev_timestep=prev_timestep, generator=generator)
        seen["latents"].append(out.prev_sample.clone())
        return out
    pipe.decoder_scheduler.step = recorded
    image = pipe(Image.fromarray(source), num_images_per_prompt=2, decoder_num_inference_steps=5, super_res_num_inference_steps=3, decoder_guidance_scale=6.0,
                 generator=torch.Generator().manual_seed(4), output_type="np").images
    put("variation/source_uint8", source)
    put("variation/image_embedding", seen["embedding"])
    put("variation/latents_in", seen["start"])
    put("variation/latents", torch.stack(seen["latents"]))
    put("variation/image", image)
    print("variation", image.shape, image.std(), np.mean((image <= 0) | (image >= 1)))


def main():
    inpainting()
    variations()
    save_file(tensors, HERE / "golden.safetensors")
    (HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1, default=list) + "\n")


if __name__ == "__main__":
    main()
