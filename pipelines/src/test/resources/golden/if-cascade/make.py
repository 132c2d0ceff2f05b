"""DeepFloyd IF by diffusers 0.42.1: cascades drawn from text, over a picture and in a mask, Stable Diffusion's enlarger behind them, and
single stages with other settings than golden/if has. python make.py, here; the text encoder is golden/if's, the enlarger golden/sd2's."""
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import (DDPMScheduler, DPMSolverMultistepScheduler, IFImg2ImgPipeline, IFImg2ImgSuperResolutionPipeline, IFInpaintingPipeline,
                       IFInpaintingSuperResolutionPipeline, IFPipeline, IFSuperResolutionPipeline, StableDiffusionUpscalePipeline,
                       UNet2DConditionModel)
from PIL import Image
from safetensors.torch import save_file
from transformers import T5EncoderModel, T5Tokenizer

HERE = Path(__file__).parent
NONE = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False, watermarker=None)
PROMPT, NEGATIVE = "A red fox -- in the SNOW, https://fox.example.com/a.png", "blurry, two"
tensors, cases = {}, []
torch.set_num_threads(1)
plain_randn = torch.randn


def randn(*shape, dtype=None, **kw):
    return plain_randn(*shape, dtype=torch.float32, **kw).to(dtype or torch.float32)


torch.randn = randn    # a run in float64 has the same noise


def unet(seed, size, **kw):
    model = UNet2DConditionModel(**{**dict(
        sample_size=size, in_channels=3, out_channels=6, block_out_channels=(8, 16), layers_per_block=(1, 2),
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), attention_head_dim=8,
        cross_attention_dim=32, encoder_hid_dim=24, addition_embed_type="text", addition_embed_type_num_heads=4,
        cross_attention_norm="group_norm", resnet_time_scale_shift="scale_shift", act_fn="gelu", norm_num_groups=4), **kw})
    return randomized(model, seed)


def randomized(model, seed):
    g = torch.Generator().manual_seed(seed)
    for key, p in sorted(model.named_parameters()):
        p.data = torch.randn(p.shape, generator=g) * (0.1 if p.dim() == 1 else p[0].numel() ** -0.5)
        if p.dim() == 1 and key.endswith(".weight"):
            p.data += 1
    model.conv_out.weight.data.mul_(0.6)
    return model.eval()


def scheduler(solver=DDPMScheduler, **kw):
    return solver(**{**dict(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", thresholding=True, dynamic_thresholding_ratio=0.95,
                          sample_max_value=1.5, variance_type="learned_range"), **kw})


def picture(seed, width, height):
    y, x = np.mgrid[0:height, 0:width]
    f = np.random.RandomState(seed).uniform(0.05, 0.4, (3, 3))
    planes = [0.5 + 0.3 * np.sin(a * x + b * y) + 0.2 * np.cos(c * (x - y)) for a, b, c in f]
    return np.clip(np.stack(planes, -1) * 255, 0, 255).round().astype(np.uint8)


def put(key, tensor):
    tensors[key] = torch.as_tensor(tensor).clone().contiguous()
    return key


class Steps:
    """What one stage's scheduler got and gave."""

    def __init__(self, pipe):
        self.start, self.after, self.timesteps = None, [], []
        step = pipe.scheduler.__class__.step

        def recorded(output, t, x, generator=None, return_dict=True, **kw):
            self.start = x.clone() if self.start is None else self.start
            self.timesteps.append(float(t))
            kw = {**kw, "generator": generator} if generator is not None else kw
            out = step(pipe.scheduler, output, t, x, return_dict=return_dict, **kw)
            self.after.append((out[0] if isinstance(out, tuple) else out.prev_sample).clone())
            return out
        pipe.scheduler.step = recorded


def case(name, stages, seed, pictures=None, **told):
    """stages: of (pipe, function of pipe, generator and the picture before)."""
    def run(dtype):
        g, x, recorded = torch.Generator().manual_seed(seed), None, []
        for pipe, call in stages:
            pipe.to(dtype)
            recorded.append(Steps(pipe))
            with torch.no_grad():
                x = call(pipe, g, x)
            pipe.to(torch.float32)
            del pipe.scheduler.step
        return torch.as_tensor(x), recorded
    image, recorded = run(torch.float32)
    exact, exactly = run(torch.float64)
    entry = {"name": name, "pipeline": type(stages[0][0]).__name__, "prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": seed, **told,
             "scheduler_class": type(stages[0][0].scheduler).__name__, "scheduler_config": dict(stages[0][0].scheduler.config),
             "tensors": {"image": put(f"{name}/image", image.float())},
             "spread": {"image": {"fp64": float((image - exact).abs().max())}}, "stages": []}
    for role, value in (pictures or {}).items():
        entry["tensors"][role] = put(f"{name}/{role}", value)
    for i, (steps, better) in enumerate(zip(recorded, exactly)):
        key = f"{name}/stage{i + 1}"
        entry["stages"].append({
            "tensors": {"timesteps": put(f"{key}/timesteps", torch.tensor(steps.timesteps)), "latents_in": put(f"{key}/latents_in", steps.start),
                        "latents": put(f"{key}/latents", torch.stack(steps.after))},
            "spread": {"latents_in": {"fp64": float((steps.start - better.start).abs().max())},
                       "latents_last": {"fp64": float((steps.after[-1] - better.after[-1]).abs().max())}}})
    if len(stages) == 1:
        only = entry.pop("stages")[0]
        entry["tensors"].update(only["tensors"])
        entry["spread"].update(only["spread"])
    cases.append(entry)
    print(name, tuple(image.shape), entry["spread"]["image"], "std", float(image.std()),
          "saturated", float(((image <= 0) | (image >= 1)).float().mean()))


def main():
    tokenizer = T5Tokenizer.from_pretrained(HERE / "../if/stage1/tokenizer")
    text = T5EncoderModel.from_pretrained(HERE / "../if/stage1/text_encoder").eval()
    first, second = unet(1, 16), unet(2, 32, in_channels=6, class_embed_type="timestep", resnet_out_scale_factor=1.414,
                                      mid_block_scale_factor=1.414, only_cross_attention=True, mid_block_only_cross_attention=False)
    noising = lambda: DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")

    def stage(kind, **kw):
        parts = dict(tokenizer=tokenizer, text_encoder=text, scheduler=scheduler(**kw), **NONE)
        enlarges = "SuperResolution" in kind.__name__
        pipe = kind(unet=second, image_noising_scheduler=noising(), **parts) if enlarges else kind(unet=first, **parts)
        pipe.set_progress_bar_config(disable=True)
        return pipe
    for name, kind in (("stage1", IFPipeline), ("stage2", IFSuperResolutionPipeline)):
        stage(kind).save_pretrained(HERE / name)
        for part in ("text_encoder", "tokenizer"):
            shutil.rmtree(HERE / name / part)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "../sd2/model", folder, dirs_exist_ok=True)
        shutil.copytree(HERE / "../sd2/upscaler", folder, dirs_exist_ok=True)
        third = StableDiffusionUpscalePipeline.from_pretrained(
            folder, safety_checker=None, watermarker=None, feature_extractor=None,
            low_res_scheduler=DDPMScheduler.from_pretrained(folder, subfolder="low_res_scheduler"))
        # Of its own: that one's table ends before the noise level that IF's pictures are enlarged under.
        third.unet = randomized(UNet2DConditionModel.from_config({**third.unet.config, "num_class_embeds": 120}), 3)
        third.unet.save_pretrained(HERE / "stage3/unet")
        third.set_progress_bar_config(disable=True)

    common = dict(negative_prompt=NEGATIVE)
    call = lambda output="pt", **kw: lambda p, g, x: p(PROMPT, generator=g, output_type=output, **common, **kw).images
    later = lambda output="np", **kw: lambda p, g, x: p(
        prompt=PROMPT, image=x.to(p.unet.dtype), generator=g, output_type=output, guidance_scale=4.0, **common, **kw).images

    # Cascades: later stages have half the steps of the first, guidance 4, and go on with its generator.
    case("text", [(stage(IFPipeline), call(num_inference_steps=6, guidance_scale=7.0)),
                  (stage(IFSuperResolutionPipeline), later(num_inference_steps=3, noise_level=250))], 3, steps=6, guidance_scale=7.0, noise_level=250)
    case("text_wide_two", [(stage(IFPipeline), call(num_inference_steps=4, guidance_scale=3.0, num_images_per_prompt=2, height=16, width=24)),
                           (stage(IFSuperResolutionPipeline), lambda p, g, x: p(
                               prompt=[PROMPT] * 2, image=x.to(p.unet.dtype), generator=g, output_type="np", guidance_scale=4.0,
                               negative_prompt=[NEGATIVE] * 2, num_inference_steps=2, noise_level=80, height=32, width=48).images)],
         4, steps=4, guidance_scale=3.0, noise_level=80, width=48, height=32, options={"num_images_per_prompt": 2})
    case("enlarged_thrice", [(stage(IFPipeline), call(num_inference_steps=4, guidance_scale=7.0)),
                             (stage(IFSuperResolutionPipeline), later("pt", num_inference_steps=2, noise_level=250)),
                             (third, lambda p, g, x: p(prompt=PROMPT, image=x.to(p.unet.dtype), generator=g, output_type="np", guidance_scale=9.0,
                                                       num_inference_steps=3, noise_level=100, **common).images)],
         5, steps=4, guidance_scale=7.0, noise_level=250)
    source, mask = picture(11, 60, 44), (picture(12, 60, 44)[..., 0])
    given = {"source_uint8": source, "mask_uint8": mask}
    source, mask = Image.fromarray(source), Image.fromarray(mask)
    case("over", [(stage(IFImg2ImgPipeline), call(num_inference_steps=8, guidance_scale=5.0, strength=0.7, image=source)),
                  (stage(IFImg2ImgSuperResolutionPipeline), later(num_inference_steps=4, noise_level=250, strength=0.7, original_image=source))],
         6, {"source_uint8": given["source_uint8"]}, steps=8, guidance_scale=5.0, noise_level=250, strength=0.7)
    inside = dict(mask_image=mask)
    case("masked", [(stage(IFInpaintingPipeline), call(num_inference_steps=6, guidance_scale=7.0, strength=1.0, image=source, **inside)),
                    (stage(IFInpaintingSuperResolutionPipeline),
                     later(num_inference_steps=3, noise_level=0, strength=1.0, original_image=source, **inside))],
         7, given, steps=6, guidance_scale=7.0, noise_level=0, strength=1.0)
    case("masked_weakly_two", [
        (stage(IFInpaintingPipeline), call(num_inference_steps=10, guidance_scale=2.0, strength=0.6, image=source, num_images_per_prompt=2, **inside)),
        (stage(IFInpaintingSuperResolutionPipeline), lambda p, g, x: p(
            prompt=[PROMPT] * 2, negative_prompt=[NEGATIVE] * 2, image=x.to(p.unet.dtype), original_image=[source] * 2, mask_image=[mask] * 2,
            generator=g, output_type="np", guidance_scale=4.0, num_inference_steps=5, noise_level=120, strength=0.6).images)],
        8, given, steps=10, guidance_scale=2.0, noise_level=120, strength=0.6, options={"num_images_per_prompt": 2})

    # Single stages.
    case("alone_over", [(stage(IFImg2ImgPipeline, sample_max_value=1.0, dynamic_thresholding_ratio=0.9),
                         call("np", num_inference_steps=5, guidance_scale=1.0, strength=0.8, image=source))],
         9, {"source_uint8": given["source_uint8"]}, steps=5, guidance_scale=1.0, strength=0.8)
    case("alone_masked", [(stage(IFInpaintingPipeline, variance_type="fixed_large"),
                           call("np", num_inference_steps=5, guidance_scale=3.0, strength=1.0, image=source, **inside))],
         10, given, steps=5, guidance_scale=3.0, strength=1.0)
    small = picture(13, 20, 12)
    case("own_picture", [(stage(IFSuperResolutionPipeline), lambda p, g, x: p(
        prompt=PROMPT, image=Image.fromarray(small), generator=g, output_type="np", guidance_scale=6.0, num_inference_steps=4, noise_level=100,
        height=24, width=40, **common).images)], 11, {"source_uint8": small}, steps=4, guidance_scale=6.0, noise_level=100, width=40, height=24)
    case("own_picture_solver", [(stage(IFSuperResolutionPipeline, solver=DPMSolverMultistepScheduler, algorithm_type="dpmsolver++", solver_order=2),
                                 lambda p, g, x: p(prompt=PROMPT, image=Image.fromarray(small[:, :12]), generator=g, output_type="np",
                                                   guidance_scale=4.0, num_inference_steps=5, noise_level=300, **common).images)],
         12, {"source_uint8": small[:, :12].copy()}, steps=5, guidance_scale=4.0, noise_level=300)
    case("solver", [(stage(IFPipeline, solver=DPMSolverMultistepScheduler, algorithm_type="dpmsolver++", solver_order=2),
                     call("np", num_inference_steps=6, guidance_scale=7.0))], 13, steps=6, guidance_scale=7.0)
    case("smart27", [(stage(IFPipeline), call("np", guidance_scale=7.0, timesteps=smart27()))], 14, steps=1, guidance_scale=7.0,
         options={"timesteps": smart27()})
    save_file(tensors, HERE / "golden.safetensors")
    (HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1, default=str) + "\n")


def smart27():
    from diffusers.pipelines.deepfloyd_if import smart27_timesteps
    return smart27_timesteps


main()
