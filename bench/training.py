"""A training step of the U-Net of clip-art world at its recipe's size, in Sfumato and in PyTorch. Started by `run.sh training`.

Both begin with the weights of builtin:clipart-world, see the same latents, texts and noise, and do what a step does: forward, backward,
clip the gradients, AdamW, average the weights. They have equal threads and take turns. A ratio is the median of the rounds' own ratios. The
losses of the first steps are compared before: a difference ends the run. PyTorch's side is diffusers' UNet2DConditionModel, channels last.
"""
import argparse
import os
import statistics
import sys
import time

from compare import Engine, cpu, java, positive, quartiles
from report import give, heading, table, text

# How far apart the losses of the first steps may be. AdamW's first updates are as large where a gradient is nothing but rounding: the
# second loss is behind one of them, the third behind two.
CLOSE = (1e-5, 1e-2, 0.1)
# As io.sfumato.bench.TrainingWorker, and recipes/clipart-world.yaml.
LATENT, TEXT = (8, 16, 16), (32, 384)
RATE, BETAS, DECAY, CLIP, AVERAGE = 0.0008, (0.9, 0.99), 0.01, 1.0, 0.999


class Sfumato:
    def __init__(self, threads, batch):
        command, environment = java("io.sfumato.bench.TrainingWorker")
        self.engine = Engine("sfumato", command + [str(threads), str(batch)], environment)
        self.model = self.engine.ask("model").strip()

    def steps(self, count):
        """Seconds of one, and the loss of each."""
        seconds, *losses = map(float, self.engine.ask(str(count)).split())
        return seconds, losses

    def close(self):
        self.engine.close()


class PyTorch:
    def __init__(self, threads, batch, model):
        import torch
        from diffusers import DDIMScheduler, UNet2DConditionModel
        torch.set_num_threads(threads)
        self.torch, self.batch, self.done = torch, batch, 0
        self.unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet", torch_dtype=torch.float32)
        self.unet = self.unet.to(memory_format=torch.channels_last).train()
        self.scheduler = DDIMScheduler.from_pretrained(model, subfolder="scheduler")
        self.parameters = list(self.unet.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        groups = [{"params": [p for p in self.parameters if p.dim() > 1], "weight_decay": DECAY},
                  {"params": [p for p in self.parameters if p.dim() <= 1], "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS)

    def steps(self, count):
        begin = time.perf_counter()
        losses = [self.step() for _ in range(count)]
        return (time.perf_counter() - begin) / count, losses

    def step(self):
        torch = self.torch
        generator = torch.Generator().manual_seed(self.done)
        z, eps, states = (torch.randn(self.batch, *shape, generator=generator) for shape in (LATENT, LATENT, TEXT))
        t = torch.randint(0, 1000, (self.batch,), generator=generator)
        x = self.scheduler.add_noise(z, eps, t).contiguous(memory_format=torch.channels_last)
        guess = self.unet(x, t, states).sample
        loss = (guess - self.scheduler.get_velocity(z, eps, t)).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad()
        share = 1 - min(AVERAGE, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], share)
        self.done += 1
        return loss.item()


def compared(ours, theirs):
    """The largest relative difference of losses; the error where it is too large."""
    differences = [abs(a - b) / abs(b) for a, b in zip(ours, theirs)]
    if not all(difference <= close for difference, close in zip(differences, CLOSE)):
        raise SystemExit(f"bench: the losses of the first steps are {ours} in Sfumato and {theirs} in PyTorch")
    return max(differences)


def measure(engines, rounds, steps):
    """Losses of the first steps of Sfumato and of PyTorch, their difference, and seconds of a step in each round."""
    losses = [engine.steps(len(CLOSE))[1] for engine in engines]
    largest, seconds = compared(*losses), [[], []]
    for i in range(rounds):
        for e in (0, 1) if i % 2 == 0 else (1, 0):
            seconds[e].append(engines[e].steps(steps)[0])
        print(f"round {i + 1} of {rounds}: Sfumato {seconds[0][-1]:.3f} s a step, PyTorch {seconds[1][-1]:.3f}", file=sys.stderr,
              flush=True)
    return losses, largest, seconds


def result(batch, losses, largest, seconds):
    """The object that --json promises, but for the setting."""
    ours, theirs = seconds
    low, ratio, high = quartiles([a / b for a, b in zip(ours, theirs)])
    own, other = statistics.median(ours), statistics.median(theirs)
    return {"batch": batch, "sfumato_s": round(own, 4), "pytorch_s": round(other, 4), "ratio": ratio, "ratio_quartiles": [low, high],
            "quartiles_s": {"sfumato": quartiles(ours), "pytorch": quartiles(theirs)},
            "pictures_a_second": {"sfumato": round(batch / own, 2), "pytorch": round(batch / other, 2)},
            "losses": {"sfumato": losses[0], "pytorch": losses[1]}, "largest_difference": largest}


def report(r, setting):
    rows = [[name, *(f"{q:.3f}" for q in r["quartiles_s"][key]), f"{r['pictures_a_second'][key]:.1f}"]
            for name, key in (("Sfumato", "sfumato"), ("PyTorch", "pytorch"))]
    low, high = r["ratio_quartiles"]
    return [heading(1, "A training step beside PyTorch's"), text(setting),
            table(["engine", "first quartile, s", "median, s", "third quartile, s", "pictures a second"], rows),
            text(f"A step takes {r['ratio']:.2f} of PyTorch's time ({low:.2f} to {high:.2f}). The losses of the first {len(CLOSE)} steps "
                 f"differ by {r['largest_difference']:.1e} of themselves at most.")]


def parse():
    parser = argparse.ArgumentParser(prog="run.sh training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="%(default)s")
    parser.add_argument("--batch", type=positive, default=16, help="%(default)s, as in the recipe")
    parser.add_argument("--steps", type=positive, default=5, help="of a round (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=7, help="measurements of each engine (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers")
    parser.add_argument("--report", metavar="FILE", help="write the table, Markdown or by its name .html")
    return parser.parse_args()


def main():
    arguments = parse()
    ours = Sfumato(arguments.threads, arguments.batch)
    engines = [ours, PyTorch(arguments.threads, arguments.batch, ours.model)]
    found = result(arguments.batch, *measure(engines, arguments.rounds, arguments.steps))
    ours.close()
    setting = (f"{cpu()['model name']}, {arguments.threads} thread{'s' if arguments.threads > 1 else ''}, PyTorch "
               f"{engines[1].torch.__version__}, batches of {arguments.batch}, float32, {arguments.rounds} rounds of {arguments.steps} "
               "steps in alternation.")
    give(arguments, report(found, setting), {"setting": setting, "threads": arguments.threads, "steps": arguments.steps, **found})


if __name__ == "__main__":
    main()
