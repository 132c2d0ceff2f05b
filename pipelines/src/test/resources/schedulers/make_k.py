"""k.json and k.safetensors: trajectories of k-diffusion's samplers on sigmas of the schedules of A1111's web UI, with the stand-in
network of golden.json as an eps and as a v network.

Needs torch, numpy, scipy, torchsde, safetensors and the sampling.py and external.py of k-diffusion 0.1.1.post1, whose folder is given.
Usage: make_k.py K_DIFFUSION_FOLDER [folder]
"""
import importlib.util
import json
import math
import os
import sys
import types
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import torch
from safetensors.torch import save_file

SOURCE = sys.argv[1]
FOLDER = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
SHAPE = (2, 3, 4, 4)


def load():
    """The two files without the package, whose other files want more than is needed here."""
    sys.modules["torchdiffeq"] = types.SimpleNamespace(odeint=None)
    package = types.ModuleType("k_diffusion")
    package.__path__ = [SOURCE]
    sys.modules["k_diffusion"] = package
    utils = types.ModuleType("k_diffusion.utils")
    utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    package.utils = sys.modules["k_diffusion.utils"] = utils
    sys.modules["tqdm.auto"] = types.SimpleNamespace(trange=lambda n, disable=None: range(n), tqdm=Bar)
    for name in ("sampling", "external"):
        spec = importlib.util.spec_from_file_location(f"k_diffusion.{name}", os.path.join(SOURCE, f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"k_diffusion.{name}"] = module
        spec.loader.exec_module(module)
        setattr(package, name, module)
    return package


class Bar:
    def __init__(self, *a, **k):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *a):
        pass

    def update(self, n=1):
        pass


def schedules(k, model):
    """The sigmas of each schedule, from the formulas of its paper or tool."""
    low, high = float(model.sigmas[0]), float(model.sigmas[-1])
    zero = torch.zeros(1)
    t_max = len(model.sigmas) - 1

    def interpolated(n, values):
        y = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(values)), np.log(values[::-1]))
        return torch.cat([torch.tensor(np.exp(y)[::-1].copy(), dtype=torch.float32), zero])

    def ddim(n):
        stride = max(len(model.sigmas) // n, 1)
        return torch.cat([model.sigmas[1::stride].flip(0), zero])

    def beta(n):
        import scipy.stats
        places = scipy.stats.beta.ppf(1 - np.linspace(0, 1, n), 0.6, 0.6)
        return torch.tensor([low + p * (high - low) for p in places] + [0.0], dtype=torch.float32)

    return {
        "uniform": model.get_sigmas,
        "karras": lambda n: k.sampling.get_sigmas_karras(n, low, high),
        "exponential": lambda n: k.sampling.get_sigmas_exponential(n, low, high),
        "polyexponential": lambda n: k.sampling.get_sigmas_polyexponential(n, low, high),
        "beta": beta,
        "sgm_uniform": lambda n: torch.cat([model.t_to_sigma(torch.linspace(t_max, 0, n + 1)[:-1]), zero]),
        "simple": lambda n: torch.tensor([float(model.sigmas[-(1 + int(i * len(model.sigmas) / n))]) for i in range(n)] + [0.0]),
        "ddim_uniform": ddim,
        "align_your_steps": lambda n: interpolated(n, [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]),
        "align_your_steps_sdxl":
            lambda n: interpolated(n, [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]),
        "kl_optimal": lambda n: torch.tan(torch.arange(n + 1) / n * math.atan(low) + (1 - torch.arange(n + 1) / n) * math.atan(high)),
        "turbo": lambda n: torch.cat([model.t_to_sigma((torch.arange(n, 0, -1) * (1000 / n) - 1).round().clip(0, t_max)), zero]),
    }


def restart(k, model, x, sigmas):
    """Algorithm 1 of Xu et al. 2023 with the two levels and the counts that A1111's web UI takes."""
    n = len(sigmas) - 1
    pairs = list(zip(sigmas[:-1], sigmas[1:]))
    if n >= 20:
        length, times = (9, 1) if n < 36 else (n // 4, 2)
        fewer = k.sampling.get_sigmas_karras(n - length * times, float(sigmas[-2]), float(sigmas[0]))
        low, high = int((fewer - 0.1).abs().argmin()), int((fewer - 2).abs().argmin())
        again = k.sampling.get_sigmas_karras(length + 1, float(fewer[low]), float(fewer[high]))[:-1]
        pairs = list(zip(fewer[:low], fewer[1:low + 1])) + list(zip(again[:-1], again[1:])) * times + list(zip(fewer[low:-1], fewer[low + 1:]))
    last = None
    ones = x.new_ones([x.shape[0]])
    for sigma, to in pairs:
        if last is not None and last < sigma:
            x = x + k.sampling.torch.randn_like(x) * (sigma ** 2 - last ** 2) ** 0.5
        d = (x - model(x, sigma * ones)) / sigma
        end = x + d * (to - sigma)
        if to > 0:
            end = x + (d + (end - model(end, to * ones)) / to) / 2 * (to - sigma)
        x, last = end, to
    return x


def main():
    k = load()
    g = torch.Generator().manual_seed(1234)
    unit = torch.randn(SHAPE, generator=g)
    tensors = {"unit_noise": unit, "clean": torch.randn(SHAPE, generator=g).clamp(-1, 1)}
    alphas = torch.cumprod(1 - torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2, 0)

    def stand_in(x, t):
        return x * 0.3 + 0.1 * torch.sin(t.double() / 100).float()[:, None, None, None]

    class Eps(k.external.DiscreteEpsDDPMDenoiser):
        def __init__(self):
            super().__init__(stand_in, alphas, quantize=False)

    class V(k.external.DiscreteVDDPMDenoiser):
        def __init__(self):
            super().__init__(stand_in, alphas, quantize=False)

    models = {"epsilon": Eps(), "v_prediction": V()}
    table = schedules(k, models["epsilon"])
    cases = []

    def add(name, n, schedule="uniform", prediction="epsilon", discard=False, **arguments):
        model = models[prediction]
        sigmas = table[schedule](n + discard)
        if discard:
            sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
        generator = torch.Generator().manual_seed(777)
        k.sampling.torch = types.SimpleNamespace(**{**torch.__dict__, "randn_like": lambda x: torch.randn(x.shape, generator=generator)})
        ends = name in ("sample_dpm_fast", "sample_dpm_adaptive")
        x = unit * (float(model.sigmas[-1]) if ends else sigmas[0])
        config = {key: arguments[key] for key in ("eta", "solver_type") if key in arguments}
        with torch.no_grad():
            if name == "restart_sampler":
                x = restart(k, model, x, sigmas)
            elif ends:
                more = {"n": n} if name == "sample_dpm_fast" else {}
                x = getattr(k.sampling, name)(model, x, float(model.sigmas[0]), float(model.sigmas[-1]), **more, **arguments)
            else:
                if "sde" in name:
                    low, high = sigmas[sigmas > 0].min(), sigmas.max()
                    arguments["noise_sampler"] = k.sampling.BrownianTreeNoiseSampler(x, low, high, seed=777)
                x = getattr(k.sampling, name)(model, x, sigmas, **arguments)
        case = f"{name}_{len(cases)}"
        tensors[f"{case}/end"] = x
        if not ends:
            tensors[f"{case}/sigmas"] = sigmas
        churn = {key: arguments[key] for key in ("s_churn", "s_tmin", "s_tmax", "s_noise") if key in arguments}
        cases.append(dict(name=case, sampler=name, steps=n, schedule=schedule, prediction=prediction, discard=discard, config=config,
                          step=churn, max_abs=float(x.abs().max())))

    for schedule in table:
        add("sample_euler", 9, schedule)
        add("sample_dpmpp_2m", 13, schedule)
    for name in ("sample_euler", "sample_euler_ancestral", "sample_heun", "sample_dpm_2", "sample_dpm_2_ancestral", "sample_lms",
                 "sample_dpmpp_2s_ancestral", "sample_dpmpp_sde", "sample_dpmpp_2m", "sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde",
                 "restart_sampler"):
        add(name, 7)
        add(name, 12, "karras", "v_prediction")
        add(name, 10, "exponential", discard=True)
    add("restart_sampler", 20, "karras")
    add("restart_sampler", 40, "karras", "v_prediction")
    add("sample_euler", 10, "karras", s_churn=5.0, s_tmin=0.05, s_tmax=10.0, s_noise=1.003)
    add("sample_dpmpp_2m_sde", 9, "karras", solver_type="heun")
    for n in (1, 3, 8, 10):
        add("sample_dpm_fast", n)
    add("sample_dpm_fast", 9, prediction="v_prediction", eta=1.0)
    add("sample_dpm_adaptive", 10)
    add("sample_dpm_adaptive", 10, prediction="v_prediction")
    add("sample_dpm_adaptive", 10, eta=1.0)
    save_file(tensors, os.path.join(FOLDER, "k.safetensors"))
    with open(os.path.join(FOLDER, "k.json"), "w") as f:
        json.dump({"k_diffusion": "0.1.1.post1", "cases": cases}, f)


main()
