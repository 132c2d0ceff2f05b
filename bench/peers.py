"""Sfumato's peers, each as a process that Sfumato's own Worker is like: peers.py ENGINE MODEL DTYPE THREADS INPUTS [convert]

ENGINE is diffusers (eager), channels_last, compile, openvino or onnxruntime; DTYPE f32 or bf16. Each line read, STAGE or STAGE FILE,
runs the stage text, unet or vae once on the tensors of INPUTS and is answered by the seconds that this took; FILE gets the output.
With convert it only writes the files that openvino and onnxruntime want, beside the model, where they are not there.
"""
import os
import sys
import time

ENGINE, MODEL, DTYPE, THREADS, INPUTS = sys.argv[1:6]
os.environ["OMP_NUM_THREADS"] = THREADS

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

torch.set_num_threads(int(THREADS))
torch.set_grad_enabled(False)
TYPE = torch.bfloat16 if DTYPE == "bf16" and sys.argv[6:] != ["convert"] else torch.float32
inputs = load_file(INPUTS)


def networks():
    """By stage; those that the model's folder has."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel
    kinds = {"text": ("text_encoder", CLIPTextModel), "unet": ("unet", UNet2DConditionModel), "vae": ("vae", AutoencoderKL)}
    return {stage: kind.from_pretrained(f"{MODEL}/{folder}", torch_dtype=TYPE).eval() for stage, (folder, kind) in kinds.items()
            if os.path.exists(f"{MODEL}/{folder}")}


def diffusers():
    here = networks()
    for stage in ("unet", "vae") if ENGINE != "diffusers" else ():
        if stage in here:
            here[stage].to(memory_format=torch.channels_last)
    compiled = torch.compile if ENGINE == "compile" else lambda function: function
    unet, decode = compiled(here["unet"]), compiled(here["vae"].decode) if "vae" in here else None
    return {"text": lambda: here["text"](inputs["ids"]).last_hidden_state,
            "unet": lambda: unet(inputs["x"].to(TYPE), inputs["t"], inputs["context"].to(TYPE)).sample,
            "vae": lambda: decode(inputs["z"].to(TYPE)).sample}


class Plain(torch.nn.Module):
    """A network whose forward takes and gives tensors alone, as exporters want it."""

    def __init__(self, network, function):
        super().__init__()
        self.network, self.function = network, function

    def forward(self, *tensors):
        return self.function(self.network, *tensors)


def exportable():
    functions = {"text": lambda n, ids: n(ids).last_hidden_state, "unet": lambda n, x, t, context: n(x, t, context).sample,
                 "vae": lambda n, z: n.decode(z).sample}
    return {stage: Plain(network, functions[stage]) for stage, network in networks().items()}


NAMES = {"text": ("ids",), "unet": ("x", "t", "context"), "vae": ("z",)}
CONVERTED = f"{MODEL}/{ENGINE}-{inputs['x'].shape[-1]}"    # beside the model


def convert():
    if os.path.exists(CONVERTED):
        return
    part = CONVERTED + ".part"
    os.makedirs(part, exist_ok=True)
    for stage, network in exportable().items():
        example = tuple(inputs[name] for name in NAMES[stage])
        if ENGINE == "openvino":
            import openvino as ov
            converted = ov.convert_model(network.eval(), example_input=example, input=[tuple(x.shape) for x in example])
            ov.save_model(converted, f"{part}/{stage}.xml", compress_to_fp16=False)
        else:
            os.makedirs(f"{part}/{stage}", exist_ok=True)
            torch.onnx.export(network.eval(), example, f"{part}/{stage}/model.onnx", input_names=list(NAMES[stage]), external_data=True)
    os.rename(part, CONVERTED)


def openvino():
    import openvino as ov
    core = ov.Core()
    config = {"INFERENCE_NUM_THREADS": int(THREADS), "INFERENCE_PRECISION_HINT": DTYPE, "PERFORMANCE_HINT": "LATENCY"}
    compiled = {stage: core.compile_model(f"{CONVERTED}/{stage}.xml", "CPU", config) for stage in NAMES
                if os.path.exists(f"{CONVERTED}/{stage}.xml")}

    def run(stage):
        out = compiled[stage]([inputs[name].numpy() for name in NAMES[stage]])
        return torch.from_numpy(out[0])
    return {stage: lambda stage=stage: run(stage) for stage in compiled}


def onnxruntime():
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(THREADS)
    sessions = {stage: ort.InferenceSession(f"{CONVERTED}/{stage}/model.onnx", options, providers=["CPUExecutionProvider"])
                for stage in NAMES if os.path.exists(f"{CONVERTED}/{stage}")}
    return {stage: lambda stage=stage: torch.from_numpy(
        sessions[stage].run(None, {name: inputs[name].numpy() for name in NAMES[stage]})[0]) for stage in sessions}


def main():
    begin = time.perf_counter()
    if sys.argv[6:] == ["convert"]:
        return convert()
    stages = {"openvino": openvino, "onnxruntime": onnxruntime}.get(ENGINE, diffusers)()
    print("ready", time.perf_counter() - begin, flush=True)
    for line in sys.stdin:
        stage, *file = line.strip().split(" ", 1)
        begin = time.perf_counter()
        out = stages[stage]()
        seconds = time.perf_counter() - begin
        for name in file:
            save_file({"out": out.float().contiguous()}, name)
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
