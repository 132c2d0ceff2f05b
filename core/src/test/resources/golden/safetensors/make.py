"""A file of every dtype, written by the safetensors package, for the tests of io.sfumato.io: python make.py writes dtypes.safetensors.

Each tensor holds 0, 1, 2, 3, 4, 6 (bool: false, true, ...) in shape (2, 3); "scalar" is 2.5,
"empty" has shape (0, 3). The one byte of "a_byte" is for odd lengths.
"""
import os

import torch
from safetensors.torch import save_file

v = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 6.0]])
types = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "C64": torch.complex64,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8, "BOOL": torch.bool,
}
tensors = {name: v.to(t) for name, t in types.items()}
tensors["scalar"] = torch.tensor(2.5)
tensors["empty"] = torch.zeros(0, 3)
tensors["a_byte"] = torch.tensor([7], dtype=torch.uint8)
folder = os.path.dirname(os.path.abspath(__file__))
save_file(tensors, os.path.join(folder, "dtypes.safetensors"), metadata={"format": "pt", "title": "déjà vu"})
