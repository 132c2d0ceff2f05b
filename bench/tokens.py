"""Parti's 350M preset with random weights, writing codes one by one: Sfumato beside the same network in PyTorch, and both beside what
reading the weights takes at least. Started by `run.sh tokens`.

Both engines have one thread each and take turns. A ratio is the median of the rounds' own ratios. The bound is the bytes of the decoder's
matrices over the fastest that this machine sums a gigabyte of memory.
"""
import argparse
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from compare import Engine, java

LAYERS, HEADS, WIDTH, GRID, START, NEAR, TEXT, EPS = 12, 16, 1024, 32, 8192, 5, 128, 1e-6


class Parti:
    """As io.sfumato.models.parti.Parti, for one picture."""

    def __init__(self, file, dtype):
        self.w = {k: v.to(dtype) for k, v in load_file(file).items()}
        places = torch.arange(GRID * GRID)
        row, column = places // GRID, places % GRID
        seen = places[None] <= places[:, None]
        near = seen & (row[:, None] - row[None] <= NEAR) & ((column[:, None] - column[None]).abs() <= NEAR)
        hide = lambda m: torch.zeros(m.shape, dtype=dtype).masked_fill_(~m, float("-inf"))
        self.dense, self.near = hide(seen), hide(near)

    def norm(self, x, name):
        return F.layer_norm(x, (WIDTH,), self.w[name + ".weight"], self.w[name + ".bias"], EPS)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def heads(self, x):
        return x.view(1, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def attend(self, x, k, v, name, mask=None):
        x = F.scaled_dot_product_attention(self.heads(self.linear(x, name + ".query")), k, v, attn_mask=mask)
        return self.linear(x.transpose(1, 2).flatten(2), name + ".out")

    def mlp(self, x, name):
        return self.linear(self.linear(x, name + ".up").relu(), name + ".down")

    def kv(self, x, name):
        return self.heads(self.linear(x, name + ".key")), self.heads(self.linear(x, name + ".value"))

    def text(self, ids):
        x = F.embedding(ids, self.w["encoder.tokens.weight"]) + self.w["encoder.places.weight"][:ids.shape[1]]
        for i in range(LAYERS):
            p = f"encoder.layers.{i}"
            h = self.norm(x, p + ".norm1")
            x = x + self.attend(h, *self.kv(h, p + ".self"), p + ".self")
            x = x + self.mlp(self.norm(x, p + ".norm2"), p)
        x = self.norm(x, "encoder.norm")
        return [self.kv(x, f"decoder.layers.{i}.cross") for i in range(LAYERS)]

    def decode(self, count):
        """Seconds for that many tokens, and the tokens."""
        with torch.inference_mode():
            text = self.text(torch.arange(1, TEXT + 1)[None])
            dtype = text[0][0].dtype
            cache = [[torch.zeros(1, HEADS, GRID * GRID, WIDTH // HEADS, dtype=dtype) for _ in range(2)] for _ in range(LAYERS)]
            token, tokens = torch.tensor([[START]]), []
            begin = time.perf_counter()
            for n in range(count):
                x = (F.embedding(token, self.w["decoder.tokens.weight"]) + self.w["decoder.rows.weight"][n // GRID]
                     + self.w["decoder.columns.weight"][n % GRID])
                for i in range(LAYERS):
                    p = f"decoder.layers.{i}"
                    h = self.norm(x, p + ".norm1")
                    for kept, new in zip(cache[i], self.kv(h, p + ".self")):
                        kept[:, :, n:n + 1] = new
                    mask = (self.dense if i % 4 == 3 else self.near)[n:n + 1, :n + 1]
                    x = x + self.attend(h, *(kept[:, :, :n + 1] for kept in cache[i]), p + ".self", mask)
                    x = x + self.attend(self.norm(x, p + ".norm2"), *text[i], p + ".cross")
                    x = x + self.mlp(self.norm(x, p + ".norm3"), p)
                token = self.linear(self.norm(x, "decoder.norm"), "decoder.head").argmax(-1)
                tokens.append(int(token))
            return time.perf_counter() - begin, tokens

    def bytes_a_token(self):
        read = [v for k, v in self.w.items() if k.startswith(("decoder.layers", "decoder.head")) and v.dim() == 2
                and ".cross.key" not in k and ".cross.value" not in k]
        return sum(v.numel() * v.element_size() for v in read)


def bandwidth(memory):
    begin = time.perf_counter()
    memory.sum()
    return memory.numel() * memory.element_size() / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(prog="run.sh tokens", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--count", type=int, default=128, help="tokens a round (%(default)s; a picture has 1024)")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    file = os.path.join(arguments.work, "parti350m.safetensors")
    command, environment = java("io.sfumato.bench.TokenWorker")
    engine = Engine("sfumato", command + [file, arguments.dtype, "1"], environment)
    peer = Parti(file, {"f32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype])
    memory = torch.ones(1 << 28)
    ours, theirs, speeds = [], [], []
    for i in range(arguments.rounds + 1):
        answer = engine.ask(str(arguments.count)).split()
        seconds, tokens = peer.decode(arguments.count)
        speed = max(bandwidth(memory) for _ in range(3))
        if i == 0:
            same = sum(int(a) == b for a, b in zip(answer[1:], tokens))
            print(f"{same} of {arguments.count} tokens are the same")
            continue
        ours.append(float(answer[0]) / arguments.count)
        theirs.append(seconds / arguments.count)
        speeds.append(speed)
        print(f"round {i}: Sfumato {1000 * ours[-1]:.1f} ms a token, PyTorch {1000 * theirs[-1]:.1f}; memory {speed / 1e9:.1f} GB/s",
              file=sys.stderr, flush=True)
    size = peer.bytes_a_token()
    print(f"{arguments.dtype}, {size / 1e6:.0f} MB a token: Sfumato takes {statistics.median(a / b for a, b in zip(ours, theirs)):.2f} of "
          f"PyTorch's time and reads at {statistics.median(size / a / s for a, s in zip(ours, speeds)):.0%} of the bandwidth bound, "
          f"PyTorch at {statistics.median(size / a / s for a, s in zip(theirs, speeds)):.0%}")
    engine.close()


if __name__ == "__main__":
    main()
