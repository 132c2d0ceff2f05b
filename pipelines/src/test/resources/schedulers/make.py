"""random.json and random.safetensors: trajectories of diffusers under random configs, with the stand-in network of golden.json.

Needs torch, numpy, scipy, safetensors and diffusers 0.42.1. Usage: make.py [cases per class] [seed] [folder]
"""
import json
import math
import os
import random
import sys
import warnings

warnings.filterwarnings("ignore")

import diffusers
import torch
from safetensors.torch import save_file

diffusers.utils.logging.set_verbosity_error()
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 8
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
FOLDER = sys.argv[3] if len(sys.argv) > 3 else os.path.dirname(os.path.abspath(__file__))
SHAPE = (2, 3, 4, 4)


def betas(r):
    train = r.choice([1000, 1000, 1000, 500, 100])
    config = r.choice([
        dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        dict(beta_start=0.0001, beta_end=0.02, beta_schedule="linear"),
        dict(beta_start=0.0015, beta_end=0.0195, beta_schedule="linear"),
        dict(beta_schedule="squaredcos_cap_v2"),
        dict(trained_betas=[0.0002 + 0.015 * (i / train) ** 2 for i in range(train)]) if train == 100 else {},
    ])
    return dict(config, num_train_timesteps=train)


def spacing(r, config):
    config["timestep_spacing"] = r.choice(["leading", "trailing", "linspace"])
    if config["timestep_spacing"] == "leading":
        config["steps_offset"] = r.choice([0, 1])


def sigmas(r, config, lu=False):
    kind = r.choice(["", "karras", "exponential", "beta"] + ["lu"] * lu)
    if kind == "lu":
        config["use_lu_lambdas"] = True
    elif kind:
        config[f"use_{kind}_sigmas"] = True
    config["final_sigmas_type"] = r.choice(["zero", "zero", "sigma_min"])


def ddim(r, c):
    c.update(set_alpha_to_one=r.random() < 0.5, clip_sample=r.random() < 0.3, clip_sample_range=r.choice([1.0, 2.0]),
             prediction_type=r.choice(["epsilon", "v_prediction", "sample"]))
    if r.random() < 0.2:
        c.update(thresholding=True, dynamic_thresholding_ratio=r.choice([0.9, 0.995]), sample_max_value=r.choice([1.0, 1.5]))
    if c["prediction_type"] == "v_prediction" and r.random() < 0.5:
        c.update(rescale_betas_zero_snr=True)
    return {"eta": r.choice([0.0, 0.0, 0.3, 1.0])}


def pndm(r, c):
    c.update(skip_prk_steps=r.random() < 0.5, set_alpha_to_one=r.random() < 0.5, prediction_type=r.choice(["epsilon", "v_prediction"]))
    return {}


def euler(r, c):
    sigmas(r, c)
    c.update(prediction_type=r.choice(["epsilon", "v_prediction", "sample"]), interpolation_type=r.choice(["linear", "linear", "log_linear"]),
             rescale_betas_zero_snr=r.random() < 0.2, timestep_type=r.choice(["discrete", "discrete", "continuous"]))
    if r.random() < 0.2:
        c.update(sigma_min=0.05, sigma_max=12.0)
    return {}


def euler_a(r, c):
    c.update(prediction_type=r.choice(["epsilon", "v_prediction"]), rescale_betas_zero_snr=r.random() < 0.2)
    return {}


def dpm(r, c):
    sigmas(r, c, lu=True)
    c.update(prediction_type=r.choice(["epsilon", "v_prediction", "sample"]), solver_order=r.choice([1, 2, 2, 3]),
             solver_type=r.choice(["midpoint", "heun"]), lower_order_final=r.random() < 0.7, euler_at_final=r.random() < 0.3,
             rescale_betas_zero_snr=r.random() < 0.15)
    if r.random() < 0.2:
        c.update(thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=1.5)
    if r.random() < 0.2:
        c.update(lambda_min_clipped=-3.0)
    return {}


def run(cls, config, steps, strength, step_arguments, unit, clean):
    s = getattr(diffusers, cls)(**config)
    s.set_timesteps(steps)
    start = steps - min(int(steps * strength), steps)
    ts = s.timesteps[start:]
    if start:
        if hasattr(s, "set_begin_index"):
            s.set_begin_index(start)
        x = s.add_noise(clean, unit, ts[:1].repeat(SHAPE[0]))
    else:
        x = unit * s.init_noise_sigma
    generator = torch.Generator().manual_seed(777)
    if cls in ("DDIMScheduler", "EulerAncestralDiscreteScheduler"):
        step_arguments = dict(step_arguments, generator=generator)
    xs = [x]
    for t in ts:
        scaled = s.scale_model_input(x, t)
        x = s.step(scaled * 0.3 + 0.1 * math.sin(float(t) / 100.0), t, x, **step_arguments).prev_sample
        xs.append(x)
    return s, torch.stack(xs), float(s.init_noise_sigma)


def main():
    g = torch.Generator().manual_seed(1234)
    unit = torch.randn(SHAPE, generator=g)
    clean = torch.randn(SHAPE, generator=g).clamp(-1, 1)
    tensors = {"unit_noise": unit, "clean": clean}
    cases = []
    r = random.Random(SEED)
    for cls, more in (("DDIMScheduler", ddim), ("PNDMScheduler", pndm), ("EulerDiscreteScheduler", euler),
                      ("EulerAncestralDiscreteScheduler", euler_a), ("DPMSolverMultistepScheduler", dpm)):
        done = 0
        while done < COUNT:
            config = betas(r)
            spacing(r, config)
            step = more(r, config)
            steps = r.choice([1, 2, 3, 4, 5, 7, 10, 13, 16, 20, 25, 30, 33, 50])
            strength = 1.0 if r.random() < 0.75 else r.choice([0.3, 0.5, 0.8])
            if int(steps * strength) == 0:
                continue
            try:
                s, xs, init = run(cls, config, steps, strength, step, unit, clean)
            except (IndexError, ValueError):  # what the library itself cannot do
                continue
            if not torch.isfinite(xs).all():
                continue
            name = f"{cls}_{done}"
            done += 1
            tensors[f"{name}/timesteps"] = s.timesteps.clone()
            if cls not in ("DDIMScheduler", "PNDMScheduler"):
                tensors[f"{name}/sigmas"] = s.sigmas
            tensors[f"{name}/samples"] = xs[[0, 1, -1]].clone()
            cases.append(dict(name=name, scheduler_class=cls, config=config, steps=steps, strength=strength, step=step,
                              init_noise_sigma=init, max_abs=float(xs.abs().max())))
    save_file(tensors, os.path.join(FOLDER, "random.safetensors"))
    with open(os.path.join(FOLDER, "random.json"), "w") as f:
        json.dump({"diffusers": diffusers.__version__, "cases": cases}, f, indent=1)


main()
