"""Single operators of Stable Diffusion 1.5, and products with few rows, in Sfumato and in PyTorch. Started by `run.sh operators`.

Both have the same inputs and equal threads, and take turns: a round runs the operator in one, then in the other, then the next round the
other way round. A ratio is the median of the rounds' own ratios; one over 1.15 is marked. PyTorch's side is as diffusers writes it, in
channels_last.
"""
import argparse
import math
import statistics
import sys
import time

from compare import Engine, among, cpu, java, positive, quartiles
from report import give, heading, table, text

SLOW = 1.15
ROUND = 0.1    # seconds that a round of one engine takes at least
CLOCKS = {"wall": time.perf_counter, "cpu": time.thread_time}
# Guidance makes a batch of two in the U-Net. Sizes: those of OperatorWorker.operator.
OPERATORS = {
    "U-Net, 3x3 convolution": [
        "conv 2 4 64 320 3 1", "conv 2 320 64 320 3 1", "conv 2 960 64 320 3 1", "conv 2 320 64 320 3 2", "conv 2 640 32 640 3 1",
        "conv 2 1920 32 640 3 1", "conv 2 1280 16 1280 3 1", "conv 2 2560 16 1280 3 1", "conv 2 1280 8 1280 3 1"],
    "VAE, 3x3 convolution": [
        "conv 1 512 64 512 3 1", "conv 1 512 128 512 3 1", "conv 1 256 256 256 3 1", "conv 1 128 512 128 3 1", "conv 1 128 512 3 3 1"],
    "1x1 convolution": ["conv 2 320 64 320 1 1", "conv 2 960 64 320 1 1", "conv 2 1280 16 1280 1 1", "conv 1 256 512 128 1 1"],
    "linear, attention": ["linear 8192 320 320", "linear 2048 640 640", "linear 512 1280 1280", "linear 154 768 320"],
    "linear, feed-forward": [
        "linear 8192 320 2560", "linear 8192 1280 320", "linear 2048 640 5120", "linear 2048 2560 640", "linear 512 1280 10240"],
    "linear, few rows": [
        "linear 1 1024 1024", "linear 1 1024 4096", "linear 1 4096 1024", "linear 2 320 1280", "linear 4 1024 4096", "linear 8 1024 4096"],
    "attention": [
        "attention 2 8 4096 4096 40", "attention 2 8 1024 1024 80", "attention 2 8 256 256 160", "attention 2 8 4096 77 40",
        "attention 1 1 4096 4096 512", "attention 2 12 77 77 64"],
    "group norm and silu": ["groupnorm 2 320 64", "groupnorm 2 640 32", "groupnorm 2 1280 16", "groupnorm 1 512 64", "groupnorm 1 128 512"],
    "layer norm": ["layernorm 8192 320", "layernorm 2048 640", "layernorm 512 1280"],
    "geglu": ["geglu 8192 1280", "geglu 2048 2560"],
}


class PyTorch:
    """The same lines as io.sfumato.bench.OperatorWorker, in this process."""

    def __init__(self, threads, clock):
        import torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.clock, self.operator = CLOCKS[clock], None

    def make(self, line):
        """Seconds of the first run, and the mean of |output|."""
        kind, dtype, *sizes = line.split()
        self.operator = operator(kind, dtype, *map(int, sizes))
        begin = self.clock()
        out = self.operator()
        return self.clock() - begin, out.float().abs().mean().item()

    def run(self, times):
        begin = self.clock()
        for _ in range(times):
            self.operator()
        return (self.clock() - begin) / times


class Sfumato:
    def __init__(self, threads, clock):
        command, environment = java("io.sfumato.bench.OperatorWorker")
        self.engine = Engine("sfumato", command + [str(threads), clock], environment)

    def make(self, line):
        return tuple(map(float, self.engine.ask(line).split()))

    def run(self, times):
        return float(self.engine.ask(str(times)))

    def close(self):
        self.engine.close()


def operator(kind, dtype, *n):
    import torch
    import torch.nn.functional as F
    generator = torch.Generator().manual_seed(0)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]

    def draw(*shape):
        return torch.randn(*shape, generator=generator).to(dtype)

    def weight(*shape):
        return (torch.randn(*shape, generator=generator) * (1 / math.sqrt(math.prod(shape[1:])))).to(dtype)

    if kind == "conv":
        batch, inner, side, outer, kernel, stride = n
        x = draw(batch, inner, side, side).contiguous(memory_format=torch.channels_last)
        w, b = weight(outer, inner, kernel, kernel).contiguous(memory_format=torch.channels_last), draw(outer)
        return lambda: F.conv2d(x, w, b, stride, kernel // 2)
    if kind == "linear":
        rows, inner, outer = n
        x, w, b = draw(rows, inner), weight(outer, inner), draw(outer)
        return lambda: F.linear(x, w, b)
    if kind == "attention":
        batch, heads, queries, keys, width = n
        q, k, v = draw(batch, queries, heads * width), draw(batch, keys, heads * width), draw(batch, keys, heads * width)

        def split(t):
            return t.view(batch, -1, heads, width).transpose(1, 2)
        return lambda: F.scaled_dot_product_attention(split(q), split(k), split(v)).transpose(1, 2).reshape(batch, queries, heads * width)
    if kind == "groupnorm":
        batch, channels, side = n
        x = draw(batch, channels, side, side).contiguous(memory_format=torch.channels_last)
        w, b = draw(channels), draw(channels)
        return lambda: F.silu(F.group_norm(x, 32, w, b, 1e-5))
    if kind == "layernorm":
        rows, width = n
        x, w, b = draw(rows, width), draw(width), draw(width)
        return lambda: F.layer_norm(x, (width,), w, b, 1e-5)
    if kind == "geglu":
        rows, width = n
        x = draw(rows, 2 * width)

        def geglu():
            hidden, gate = x.chunk(2, dim=-1)
            return hidden * F.gelu(gate)
        return geglu
    raise ValueError(f"there is no operator '{kind}'")


def flops(line):
    """Of the products alone; 0 where there is none."""
    kind, *sizes = line.split()
    n = list(map(int, sizes))
    return {"conv": lambda: 2 * n[0] * n[1] * n[3] * n[4] ** 2 * (n[2] // n[5]) ** 2, "linear": lambda: 2 * math.prod(n),
            "attention": lambda: 4 * math.prod(n)}.get(kind, lambda: 0)()


def words(line):
    """The sizes as a person reads them."""
    kind, *n = line.split()
    return {"conv": lambda: f"{n[0]} x {n[1]} to {n[3]} channels, {n[2]}x{n[2]}" + (f", stride {n[5]}" if n[5] != "1" else ""),
            "linear": lambda: f"{n[0]} row{'' if n[0] == '1' else 's'}, {n[1]} to {n[2]}",
            "attention": lambda: f"{n[0]} x {n[1]} head{'' if n[1] == '1' else 's'} of {n[4]}, {n[2]} queries, {n[3]} keys",
            "groupnorm": lambda: f"{n[0]} x {n[1]} channels, {n[2]}x{n[2]}",
            "layernorm": lambda: f"{n[0]} rows of {n[1]}", "geglu": lambda: f"{n[0]} rows of 2 x {n[1]}"}[kind]()


def measure(line, dtype, engines, rounds):
    """Seconds of each round of Sfumato and of PyTorch; the error if their outputs are not the same."""
    kind, sizes = line.split(" ", 1)
    (first, ours), (second, theirs) = (engine.make(f"{kind} {dtype} {sizes}") for engine in engines)
    if not abs(ours - theirs) <= {"f32": 1e-3, "bf16": 2e-2}[dtype] * abs(theirs):
        raise SystemExit(f"bench: {line} in {dtype}: the mean of |output| is {ours} in Sfumato and {theirs} in PyTorch")
    times = max(1, math.ceil(ROUND / max(1e-6, min(first, second))))
    times = max(1, math.ceil(ROUND / max(1e-7, min(engine.run(times) for engine in engines))))
    seconds = [[], []]
    for i in range(rounds):
        for e in (0, 1) if i % 2 == 0 else (1, 0):
            seconds[e].append(engines[e].run(times))
    return seconds


def result(group, line, dtype, ours, theirs):
    """The object of one operator that --json promises."""
    low, ratio, high = quartiles([a / b for a, b in zip(ours, theirs)])
    own, other = statistics.median(ours), statistics.median(theirs)
    return {"group": group, "operator": line, "dtype": dtype, "sfumato_ms": round(1e3 * own, 4), "pytorch_ms": round(1e3 * other, 4),
            "ratio": ratio, "ratio_quartiles": [low, high], "sfumato_gflops": round(flops(line) / own / 1e9, 1),
            "pytorch_gflops": round(flops(line) / other / 1e9, 1), "slow": ratio > SLOW}


def report(results, setting):
    slow = sum(r["slow"] for r in results)
    parts = [heading(1, "Operators beside PyTorch's"), text(setting),
             text(f"{slow} of {len(results)} ratios are over {SLOW}{', in bold' if slow else ''}. "
                  "A ratio is Sfumato's time over PyTorch's; its quartiles are in brackets.")]
    for dtype in dict.fromkeys(r["dtype"] for r in results):
        rows = []
        for r in (r for r in results if r["dtype"] == dtype):
            ratio, (low, high) = f"{r['ratio']:.2f}", r["ratio_quartiles"]
            speed = f"{r['sfumato_gflops']:.0f}, {r['pytorch_gflops']:.0f}" if r["sfumato_gflops"] else ""
            rows.append([r["group"], words(r["operator"]), f"{r['sfumato_ms']:.3f}", f"{r['pytorch_ms']:.3f}",
                         f"**{ratio}**" if r["slow"] else ratio, f"{low:.2f} to {high:.2f}", speed])
        parts += [heading(2, dtype), table(["operator", "sizes", "Sfumato, ms", "PyTorch, ms", "ratio", "quartiles", "GFLOPS of both"], rows)]
    return parts


def parse():
    parser = argparse.ArgumentParser(prog="run.sh operators", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=positive, default=1, help="%(default)s")
    parser.add_argument("--clock", choices=tuple(CLOCKS), default="wall",
                        help="cpu: processor time of one thread, for a machine that is busy with other work (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=7, help="measurements of each engine (%(default)s)")
    parser.add_argument("--dtypes", type=among(("f32", "bf16")), default="f32,bf16", help="%(default)s")
    parser.add_argument("--only", metavar="WORD", default="", help="operators in whose name or sizes WORD occurs")
    parser.add_argument("--json", metavar="FILE", help="write the numbers")
    parser.add_argument("--report", metavar="FILE", help="write the table, Markdown or by its name .html")
    arguments = parser.parse_args()
    if arguments.clock == "cpu" and arguments.threads > 1:
        parser.error("--clock cpu is the time of one thread: leave out --threads")
    if not chosen(arguments.only):
        parser.error(f"--only: no operator has '{arguments.only}' in its name: {'; '.join(OPERATORS)}")
    return arguments


def chosen(word):
    return [(group, line) for group, lines in OPERATORS.items() for line in lines if word in group or word in line]


def main():
    arguments = parse()
    engines = [Sfumato(arguments.threads, arguments.clock), PyTorch(arguments.threads, arguments.clock)]
    results = []
    for dtype in arguments.dtypes.split(","):
        for group, line in chosen(arguments.only):
            results.append(result(group, line, dtype, *measure(line, dtype, engines, arguments.rounds)))
            print(f"{dtype} {line}: {results[-1]['sfumato_ms']:.3f} ms, PyTorch {results[-1]['pytorch_ms']:.3f}, "
                  f"ratio {results[-1]['ratio']:.2f}{' SLOW' if results[-1]['slow'] else ''}", file=sys.stderr, flush=True)
    engines[0].close()
    import torch
    setting = (f"{cpu()['model name']}, {arguments.threads} thread{'s' if arguments.threads > 1 else ''}, PyTorch {torch.__version__}, "
               f"{'the clock' if arguments.clock == 'wall' else 'processor time'}, medians of {arguments.rounds} rounds in alternation.")
    give(arguments, report(results, setting), {"setting": setting, "threads": arguments.threads, "clock": arguments.clock,
                                               "slow_over": SLOW, "operators": results})


if __name__ == "__main__":
    main()
