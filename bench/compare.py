"""Runs Sfumato beside its peers and says how they compare. Started by run.sh, which has made the environment and built Sfumato.

Engines are processes that hold a model; one after the other runs a stage once, and the next round begins, so that whatever else the
machine does meets all of them alike. A ratio is the median of the rounds' own ratios.
"""
import argparse
import glob
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time

from report import give, heading, table, text

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIDES = {"sd15": 64, "sd21": 64, "small": 32, "if": 64}
CHANNELS = {"sd15": 4, "sd21": 4, "small": 4, "if": 3}
CONTEXT = {"sd15": 768, "sd21": 1024, "small": 256, "if": 4096}
DIFFUSERS = ("diffusers", "channels_last", "compile")
PEERS = (*DIFFUSERS, "openvino", "onnxruntime")
STAGES = ("unet", "vae", "text")
LACKS = {"if": ("vae", "text")}    # stages that there is nothing to run of


class Engine:
    """A process that holds a model and runs its stages."""

    def __init__(self, name, command, environment):
        self.name = name
        self.log = tempfile.TemporaryFile()
        begin = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, **environment})
        while not (line := self.answer()).startswith("ready"):
            continue
        self.start, self.load = time.perf_counter() - begin, float(line.split()[1])

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError(last_line(self.log.read()))
        return line

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def run(self, stage, file=None):
        return float(self.ask(stage + (f" {file}" if file else "")))

    def memory(self):
        """Peak of everything, and of what no file backs now, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f)
        return {key: 1024 * int(fields[key].split()[0]) for key in ("VmHWM", "RssAnon")}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def java(main):
    """Command and environment of a class of this module, as the launcher sets them."""
    paths = [f"{HOME}/{m}/target/classes" for m in ("bench", "training", "pipelines", "models", "core")] + [f"{HOME}/cli/target/lib/*"]
    launcher = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "30000",
                "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=16777216:glibc.malloc.trim_threshold=134217728"}
    if "avx512vl" in cpu()["flags"]:
        launcher["OPENBLAS_CORETYPE"] = "SkylakeX"
    ours = [os.path.join(os.environ["JAVA_HOME"], "bin/java") if "JAVA_HOME" in os.environ else "java", "-Xmx256m",
            "--enable-native-access=ALL-UNNAMED", "-cp", ":".join(paths), main]
    return ours, launcher


def engines(arguments, model, dtype, inputs):
    """Name, command and environment of each engine that can run here."""
    ours, launcher = java("io.sfumato.bench.Worker")
    rest = [model, dtype, str(arguments.threads), inputs]
    yield "sfumato", ours + rest, launcher
    for peer in arguments.peers.split(","):
        if importlib.util.find_spec("diffusers" if peer in DIFFUSERS else peer) and not (peer == "onnxruntime" and dtype == "bf16"):
            yield peer, [sys.executable, f"{HOME}/bench/peers.py", peer] + rest, {}


def last_line(output):
    return output.decode(errors="replace").strip().split("\n")[-1]


def convert(command):
    done = subprocess.run(command + ["convert"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(last_line(done.stderr))


def make_inputs(name, side, file):
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(1)
    ids = torch.cat([torch.tensor([49406]), torch.randint(0, 512, (20,)), torch.full((56,), 49407)])[None]
    save_file({"ids": ids, "x": torch.randn(2, CHANNELS[name], side, side), "t": torch.tensor([500.0, 500.0]),
               "context": torch.randn(2, 77, CONTEXT[name]), "z": torch.randn(1, 4, side, side)}, file)


def difference(a, b):
    from safetensors.torch import load_file
    return (load_file(a)["out"] - load_file(b)["out"]).abs().max().item()


def measure(arguments, model, dtype, inputs, folder):
    """Everything about one model in one precision, by engine and by stage."""
    running, result = [], {"seconds": {}, "difference": {}, "memory": {}, "start": {}, "load": {}, "failed": {}}
    say = lambda words: print(f"{os.path.basename(model)} {dtype}: {words}", file=sys.stderr)  # noqa: E731

    def failed(name, why):
        if name == "sfumato":
            raise SystemExit(f"bench: Sfumato itself does not run: {why}")
        result["failed"][name] = str(why)
        say(f"{name} does not run: {why}")

    for name, command, environment in engines(arguments, model, dtype, inputs):
        try:
            say(f"{name} starts")
            if name in ("openvino", "onnxruntime"):    # beforehand: it takes the memory of a second engine
                convert(command)
            running.append(Engine(name, command, environment))
            result["start"][name], result["load"][name] = running[-1].start, running[-1].load
        except RuntimeError as e:
            failed(name, e)
    for stage in (s for s in arguments.stages.split(",") if s not in LACKS.get(os.path.basename(model), ())):
        for engine in list(running):
            try:
                engine.run(stage, f"{folder}/{engine.name}-{stage}")    # the warm-up, whose output is compared
            except (RuntimeError, BrokenPipeError) as e:
                failed(engine.name, e)
                running.remove(engine)
        result["difference"][stage] = {e.name: difference(f"{folder}/sfumato-{stage}", f"{folder}/{e.name}-{stage}")
                                       for e in running if e.name != "sfumato"}
        times = result["seconds"][stage] = {engine.name: [] for engine in running}
        for pair in range(arguments.pairs):
            for engine in running if pair % 2 == 0 else running[::-1]:
                times[engine.name].append(engine.run(stage))
            say(f"{stage}, round {pair + 1} of {arguments.pairs}: " + ", ".join(f"{n} {t[-1]:.2f} s" for n, t in times.items()))
    for engine in running:
        result["memory"][engine.name] = engine.memory()
        engine.close()
    return result


def quartiles(values):
    return [round(q, 4) for q in statistics.quantiles(values, n=4, method="inclusive")] if len(values) > 1 else values * 3


def summary(result, stage):
    """The object of one stage that --json promises; an engine that was not there is null, and so is a stage that was not asked for."""
    if result is None or stage not in result["seconds"]:
        return None
    times = result["seconds"][stage]
    best = min((n for n in times if n in DIFFUSERS), key=lambda n: statistics.median(times[n]), default=None)

    def median(name):
        return round(statistics.median(times[name]), 4) if name in times else None

    def ratio(name):
        return round(statistics.median(a / b for a, b in zip(times["sfumato"], times[name])), 4) if name in times else None

    return {"sfumato_s": median("sfumato"), "diffusers_s": median(best), "openvino_s": median("openvino"),
            "ratio_to_diffusers": ratio(best), "max_abs_difference": result["difference"][stage].get(best),
            "ratio_to_openvino": ratio("openvino"), "diffusers_setting": best, "pairs": len(times["sfumato"]),
            "quartiles_s": {name: quartiles(t) for name, t in times.items()}}


def memory_ratio(result):
    if result is None:
        return None
    peaks = {n: m["VmHWM"] for n, m in result["memory"].items()}
    peers = [peaks[n] for n in DIFFUSERS if n in peaks]
    return round(peaks["sfumato"] / min(peers), 4) if peers else None


def first_picture(arguments, model):
    """Seconds from the command to the picture of one step: with the files out of the page cache, and with them in."""
    out = {}
    for kind in ("cold", "warm"):
        for file in glob.glob(model + "/*/*.safetensors") if kind == "cold" else []:
            with open(file, "rb") as f:
                os.fsync(f.fileno())
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            subprocess.run([HOME + "/sfumato", "generate", "a red apple", "--model", model, "--steps", "1", "--seed", "1", "--quiet",
                            "--sampler", "ddim", "--threads", str(arguments.threads), "--output", folder + "/first.png"],
                           check=True, stdout=subprocess.DEVNULL)
            out[kind] = round(time.perf_counter() - begin, 2)
    return out


def cpu():
    with open("/proc/cpuinfo") as f:
        return {key.strip(): value.strip() for key, value in (line.split(":", 1) for line in f if ":" in line)}


def row(engine, result):
    times = [quartiles(t[engine]) if engine in t else None for t in result["seconds"].values()]
    differences = [d[engine] for d in result["difference"].values() if engine in d]
    memory = result["memory"][engine]
    return [engine, *(f"{t[1]:.3f} ({t[0]:.3f} to {t[2]:.3f})" if t else "" for t in times),
            f"{max(differences):.1e}" if differences else "", f"{result['start'][engine]:.1f}", f"{result['load'][engine]:.1f}",
            f"{memory['VmHWM'] / 2**30:.2f}", f"{memory['RssAnon'] / 2**30:.2f}"]


def report(arguments, results, seconds):
    parts = [heading(1, "Sfumato beside its peers"),
             text(f"{cpu()['model name']}{' with avx512_bf16' if 'avx512_bf16' in cpu()['flags'] else ''}, {arguments.threads} "
                  f"thread{'' if arguments.threads == 1 else 's'}. "
                  f"{arguments.pairs} rounds in alternation: medians, and quartiles in brackets. Took {seconds / 60:.0f} minutes.")]
    for (name, dtype), result in results.items():
        head = ["engine", *(f"{stage}, s" for stage in result["seconds"]), "largest difference to Sfumato", "start, s", "of it loading, s",
                "peak memory, GiB", "of it anonymous at the end, GiB"]
        parts += [heading(2, f"{name}, {dtype}"), table(head, [row(engine, result) for engine in result["memory"]])]
        parts += [text(f"{engine} did not run: {why}") for engine, why in result["failed"].items()]
        if "first" in result:
            parts.append(text("From the command to the first picture, of one step: "
                              + ", ".join(f"{kind} {value} s" for kind, value in result["first"].items()) + "."))
    return parts


def ratios(results, name):
    """The ratios of the model of that name."""
    f32, bf16 = results.get((name, "f32")), results.get((name, "bf16"))
    return {"unet_fp32": summary(f32, "unet"), "unet_bf16": summary(bf16, "unet"), "vae": summary(f32, "vae"),
            "peak_memory_ratio": memory_ratio(f32), "peak_memory_ratio_bf16": memory_ratio(bf16),
            "load_s": {dtype: {engine: round(s, 2) for engine, s in result["load"].items()}
                       for dtype, result in (("f32", f32), ("bf16", bf16)) if result}}


def among(known):
    """The type of an option that lists some of what is known, with commas between."""
    def read(value):
        for word in value.split(","):
            if word not in known:
                raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(known)}")
        return value
    return read


def positive(value):
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not '{value}'")
    return int(value)


def parse():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Compares Sfumato with other engines on this CPU.")
    parser.add_argument("--quick", action="store_true", help="Stable Diffusion 1.5 alone, against diffusers and OpenVINO")
    parser.add_argument("--json", metavar="FILE", help="write the ratios")
    parser.add_argument("--report", metavar="FILE", help="write the report, Markdown or by its name .html")
    parser.add_argument("--work", metavar="DIR", required=True, help="scratch folder of models (10 GB)")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="%(default)s")
    parser.add_argument("--pairs", type=positive, default=7, help="measurements of each engine (%(default)s)")
    parser.add_argument("--models", type=among(tuple(SIDES)), default=",".join(SIDES), help="%(default)s")
    parser.add_argument("--dtypes", type=among(("f32", "bf16")), default="f32,bf16", help="%(default)s")
    parser.add_argument("--stages", type=among(STAGES), default=",".join(STAGES), help="%(default)s")
    parser.add_argument("--peers", type=among(PEERS), default=",".join(PEERS), help="%(default)s")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.models, arguments.peers = "sd15", "channels_last,openvino"
    return arguments


def main():
    arguments, begin, results = parse(), time.time(), {}
    for name in arguments.models.split(","):
        model = os.path.join(arguments.work, "models", name)
        subprocess.run([sys.executable, f"{HOME}/bench/models.py", os.path.dirname(model), name], check=True)
        with tempfile.TemporaryDirectory() as folder:
            make_inputs(name, SIDES[name], folder + "/inputs.safetensors")
            for dtype in arguments.dtypes.split(","):
                results[name, dtype] = measure(arguments, model, dtype, folder + "/inputs.safetensors", folder)
        if not arguments.quick and name not in LACKS:
            results[name, arguments.dtypes.split(",")[0]]["first"] = first_picture(arguments, model)
    parts = report(arguments, results, time.time() - begin)
    first, *others = arguments.models.split(",")
    give(arguments, parts, {**ratios(results, first), **{name: ratios(results, name) for name in others}})


if __name__ == "__main__":
    main()
