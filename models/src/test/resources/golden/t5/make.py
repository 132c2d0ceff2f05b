"""Further T5 encoders by transformers 5.23.0: other sizes and activations, in bfloat16 shards, within a whole T5. python make.py, here."""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

HERE = Path(__file__).parent


def randomize(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        p.data = torch.randn(p.shape, generator=g) * (0.7 if "bias" in name else 1.0 if p.dim() == 1 or "shared" in name else p.shape[-1] ** -0.5)
        if p.dim() == 1:
            p.data = 1 + 0.1 * p.data
    return model.eval()


def main():
    out, cases = {}, []
    g = torch.Generator().manual_seed(9)

    def case(name, model, length, config=None):
        ids = torch.randint(0, model.config.vocab_size, (2, length), generator=g)
        mask = (torch.arange(length)[None] < torch.tensor([[length], [length // 3]])).long()
        encoder = model.get_encoder()
        with torch.no_grad():
            states = {"with_mask": encoder(ids, attention_mask=mask).last_hidden_state, "without_mask": encoder(ids).last_hidden_state}
        tensors = {"input_ids": ids, "attention_mask": mask, **states}
        out.update({f"{name}/{k}": v.contiguous() for k, v in tensors.items()})
        cases.append({"name": name, "tensors": {k: f"{name}/{k}" for k in tensors}})

    silu = randomize(T5EncoderModel(T5Config(vocab_size=50, d_model=20, d_kv=6, d_ff=28, num_layers=3, num_heads=3, feed_forward_proj="gated-silu",
                                             relative_attention_num_buckets=10, relative_attention_max_distance=9, layer_norm_epsilon=1e-5)), 1)
    for p in silu.parameters():                  # values that bfloat16 holds exactly, so that float32 arithmetic compares
        p.data = p.data.bfloat16().float()
    case("silu_shards", silu, 40)
    silu.bfloat16().save_pretrained(HERE / "silu_shards", max_shard_size="6KB")
    whole = randomize(T5ForConditionalGeneration(T5Config(vocab_size=33, d_model=12, d_kv=8, d_ff=20, num_layers=1, num_decoder_layers=1, num_heads=2,
                                                          feed_forward_proj="gated-gelu", tie_word_embeddings=False)), 2)
    case("whole", whole, 150)
    whole.save_pretrained(HERE / "whole")
    save_file(out, HERE / "variants.safetensors")
    (HERE / "variants.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
