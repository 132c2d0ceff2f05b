"""Files of torch.save in every format and with everything in them that checkpoints have. Needs torch, numpy and safetensors.

    python make.py        writes them beside this script, and expected.safetensors with the tensors of FILE under FILE/NAME
"""
import io
import os
import pickle
import struct
import tarfile
import warnings

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

os.chdir(os.path.dirname(os.path.abspath(__file__)))
warnings.simplefilter("ignore")
expected = {}


def save(name, value, tensors=None, **options):
    """Writes a file; what torch itself reads from it is what is expected, where the tensors are not given."""
    torch.save(value, name, **options)
    if tensors is None:
        tensors = torch.load(name, weights_only=False)
    for key, x in tensors.items():
        expected[f"{name}/{key}"] = torch.as_tensor(x).detach().clone().contiguous()


def numbers(*shape, dtype=torch.float32):
    n = int(np.prod(shape))
    return (torch.arange(n, dtype=torch.float64) * 0.75 - 2).reshape(shape).to(dtype)


for protocol in (2, 3, 4, 5):
    for zipped in (True, False):
        save(f"protocol{protocol}{'.pt' if zipped else '-stream.pt'}",
             {"weight": numbers(2, 3), "inner.bias": numbers(4, dtype=torch.float16), "same": torch.arange(3), "é": torch.tensor(1.5)},
             pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)

types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz,
         torch.float8_e5m2fnuz, torch.complex64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32,
         torch.uint16, torch.uint8, torch.bool]
every = {str(t).split(".")[1]: torch.tensor([[0, 1, 2], [3, 4, 6]]).to(t) for t in types}
save("types.pt", every)
# Of some types torch writes streams that it cannot read itself.
save("types-stream.pt", every, every, _use_new_zipfile_serialization=False)

base = numbers(6, 4)
save("strides.pt", {"all": base, "transposed": base.t(), "column": base[:, 1], "every_other": base[1::2, ::3], "offset": base[2:5],
                    "expanded": base[:1].expand(3, 4), "channels_last": numbers(2, 3, 2, 2).to(memory_format=torch.channels_last),
                    "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "empty_view": base[3:3], "odd": torch.arange(9, dtype=torch.uint8)[1:6]})
save("strides-stream.pt", {"odd": torch.arange(9, dtype=torch.uint8)[1:6], "all": base, "transposed": base.t(), "half": base.half()[1]},
     _use_new_zipfile_serialization=False)

marked = nn.Parameter(numbers(3))
marked.note = "kept by name"
plain = numbers(2)
plain.note = "a tensor with an attribute"
state = {"layer": {"weight": nn.Parameter(numbers(2, 2)), "frozen": nn.Parameter(numbers(2), requires_grad=False)}, "marked": marked,
         "plain": plain, "list": [numbers(1), (numbers(2), None)], "buffer": nn.Buffer(numbers(2)), 7: numbers(1)}
flat = {"layer.weight": state["layer"]["weight"], "layer.frozen": state["layer"]["frozen"], "marked": marked, "plain": plain,
        "list.0": state["list"][0], "list.1.0": state["list"][1][0], "buffer": state["buffer"], "7": state[7]}
lightning = {"epoch": 3, "global_step": 2**40, "loss": 0.25, "name": "naïve", "flag": True, "none": None, "big": 2**100, "negative": -5,
             "bytes": b"\x00\xff", "set": {4}, "size": torch.Size([2, 3]), "type": torch.float16, "device": torch.device("cpu"),
             "np.float64": np.float64(1.5), "np.float32": np.float32(-2.5), "np.int64": np.int64(-7), "np.uint8": np.uint8(200),
             "np.bool": np.bool_(True), "callbacks": {nn.Linear: {"best": torch.tensor(1.0)}}, (1, 2): "a tuple's",
             "state_dict": state}
for protocol in (2, 4):
    save(f"nested-{protocol}.ckpt", lightning, flat, pickle_protocol=protocol)
for protocol in (2, 5):
    arrays = {"rows": np.arange(6, dtype=np.float32).reshape(2, 3), "columns": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
              "half": np.float16([1, 2.5]), "zero": np.zeros((0, 2)), "number": np.array(3.0)}
    save(f"numpy-{protocol}.pt", {**arrays, "swapped": np.arange(3, dtype=">f4"), "texts": np.array(["a", "bc"]), "object": np.array([None], dtype=object)},
         arrays, pickle_protocol=protocol)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.path = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3, bias=False))
        self.scale = nn.Parameter(numbers(1))
        self.register_buffer("table", numbers(2))
        self.register_buffer("passing", numbers(5), persistent=False)
        self.register_parameter("absent", None)
        self.remembered = numbers(4)


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.tied = self.blocks[0].path


torch.manual_seed(0)
net = Net(3)
net.blocks[1].norm.running_mean.uniform_()
save("module.pkl", net, net.state_dict())
torch.serialization.get_source_lines_and_file = None    # streams would carry the source of every class
save("module-stream.pkl", net, net.state_dict(), _use_new_zipfile_serialization=False)
save("wrapped.pt", {"model": net.state_dict(), "optimizer": {"state": {0: {"exp_avg": numbers(2)}}}}, net.state_dict())
save("tensor.pt", numbers(2, 2), {"tensor": numbers(2, 2)})


def rebuilt(x, how):
    return x


class Made:
    """Reduces to a call that only its own module knows."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return rebuilt, self.parts


class Harm:
    def __reduce__(self):
        return os.system, ("touch harmed",)


dense = {"weight": numbers(2)}
save("unknown.pt", {**dense, "made": Made(numbers(3), "how"), "idle": Made(1, "how"), "harm": Harm(), "wrapped": nn.Parameter(numbers(1))}, {**dense, "wrapped": numbers(1)})
# per-tensor affine, as state dicts of quantised models have them
save("refused.pt", {**dense, "coo": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr(),
                    "quantised": torch.quantize_per_tensor(numbers(3), 0.1, 10, torch.quint8), "meta": torch.empty(2, device="meta"),
                    "conjugate": torch.tensor([1 + 2j]).to(torch.complex64).conj(), "wide": torch.tensor([1 + 2j], dtype=torch.complex128),
                    "nested": torch.nested.nested_tensor([numbers(1), numbers(2)])}, dense)

# What torch can no longer write, by the rules of its reader.
T = torch.FloatStorage


class Reference:
    def __init__(self, key):
        self.key = key


class OldPickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.key if isinstance(value, Reference) else None


def old(file, value):
    OldPickler(file, protocol=2).dump(value)


def check(name, tensors):
    loaded = torch.load(name, weights_only=False)
    for key, x in tensors.items():
        assert torch.equal(loaded[key], x), (name, key)
        expected[f"{name}/{key}"] = x.contiguous()


# A storage that is a view of another, as streams had them.
with open("view-stream.pt", "wb") as f:
    old(f, 0x1950a86a20f9469cfc6c)
    old(f, 1001)
    old(f, {"little_endian": True, "protocol_version": 1001, "type_sizes": {"short": 2, "int": 4, "long": 4}})

    class Part:
        def __init__(self, view):
            self.view = view

        def __reduce__(self):
            storage = Reference(("storage", T, "root", "cpu", 6, self.view))
            return torch._utils._rebuild_tensor, (storage, 1, (2,), (1,))
    old(f, {"whole": Part(None), "part": Part(("view", 2, 4))})
    old(f, ["root"])
    f.write(struct.pack("<q", 6) + numbers(6).numpy().tobytes())
check("view-stream.pt", {"whole": numbers(6)[1:3], "part": numbers(6)[3:5]})

# The tar archive of PyTorch 0.1.
storages, tensors, tree = io.BytesIO(), io.BytesIO(), io.BytesIO()
old(storages, 1)
old(storages, (11, "cpu", T))
storages.write(struct.pack("<q", 6) + numbers(6).numpy().tobytes())
old(storages, [(12, 11, 2, 4)])
old(tensors, 3)
for key, storage, shape, strides, offset in ((21, 11, (2, 3), (3, 1), 0), (22, 11, (3, 2), (1, 3), 0), (23, 12, (2,), (2,), 1)):
    old(tensors, (key, storage, torch.FloatTensor))
    tensors.write(struct.pack(f"<ii{2 * len(shape) + 1}q", len(shape), 0, *shape, *strides, offset))
old(tree, {"a": Reference("21"), "b": Reference("22"), "c": Reference("23")})
with tarfile.open("old.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    for name, content in (("sys_info", io.BytesIO(pickle.dumps({"little_endian": True}, 2))), ("pickle", tree), ("tensors", tensors), ("storages", storages)):
        info = tarfile.TarInfo(name)
        info.size = len(content.getvalue())
        content.seek(0)
        tar.addfile(info, content)
check("old.tar", {"a": numbers(2, 3), "b": numbers(2, 3).t(), "c": numbers(6)[3::2]})

save_file(expected, "expected.safetensors")
