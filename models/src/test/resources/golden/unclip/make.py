"""Networks of unCLIP by diffusers 0.42.1 and transformers 5.23.0, in sizes and settings that the recorded models do not have. python make.py, here.

Weights are not stored: they are drawn from the case's seed, in the order of their names, as Fixture.seeded draws them."""
import json
from pathlib import Path

import torch
from diffusers import PriorTransformer, VQModel
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

HERE = Path(__file__).parent


def main():
    out, cases = {}, []

    def case(name, kind, model, config, call, *inputs):
        seed = len(cases)
        g = torch.Generator().manual_seed(seed)
        for key, p in sorted(model.named_parameters()):
            p.data = torch.randn(p.shape, generator=g) * (0.3 if p.dim() == 1 else p[0].numel() ** -0.5)
            if p.dim() == 1 and key.endswith(".weight"):
                p.data += 1
        model.eval()
        with torch.no_grad():
            y = call(model, *inputs)
        out.update({f"{name}/{i}": x.float().contiguous() for i, x in enumerate(inputs)}, **{f"{name}/y": y.contiguous()})
        cases.append({"name": name, "kind": kind, "seed": seed, "config": config})

    g = torch.Generator().manual_seed(99)
    rand = lambda *shape: torch.randn(shape, generator=g)
    priors = {"prior-norms": dict(num_attention_heads=3, attention_head_dim=4, num_layers=3, embedding_dim=10, num_embeddings=9, norm_in_type="layer",
                                  embedding_proj_norm_type="layer", embedding_proj_dim=14, clip_embed_dim=10, time_embed_dim=20, time_embed_act_fn="gelu"),
              "prior-wide": dict(num_attention_heads=1, attention_head_dim=24, num_layers=2, embedding_dim=12, num_embeddings=5)}
    for name, config in priors.items():
        e, n = config["embedding_dim"], config["num_embeddings"]
        mask = torch.arange(n)[None] < torch.tensor([[n], [3]])
        case(name, "prior", PriorTransformer(**config), config, lambda m, x, t, z, s, k: m(x, t, z, s, k).predicted_image_embedding,
             rand(2, e), torch.tensor([701.0, 33.0]), rand(2, config.get("embedding_proj_dim", e)), rand(2, n, e), mask)
    config = dict(clip_extra_context_tokens=3, clip_embeddings_dim=10, time_embed_dim=12, cross_attention_dim=14)
    case("projection", "projection", UnCLIPTextProjModel(**config), config,
         lambda m, i, p, s: m(image_embeddings=i, prompt_embeds=p, text_encoder_hidden_states=s, do_classifier_free_guidance=False)[0],
         rand(2, 10), rand(2, 10), rand(2, 7, 10))
    for name, config in {"vision": dict(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3, image_size=20, patch_size=5,
                                        projection_dim=7, hidden_act="gelu"),
                         "vision-rest": dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=14, patch_size=4, projection_dim=8)}.items():
        size = config["image_size"]
        case(name, "vision", CLIPVisionModelWithProjection(CLIPVisionConfig(**config)), config, lambda m, x: m(x).image_embeds, rand(2, 3, size, size))
    config = dict(block_out_channels=(32, 64, 32), down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D", "DownEncoderBlock2D"),
                  up_block_types=("UpDecoderBlock2D", "AttnUpDecoderBlock2D", "UpDecoderBlock2D"), latent_channels=5, layers_per_block=2, norm_num_groups=16,
                  norm_type="spatial", num_vq_embeddings=6, vq_embed_dim=5)
    case("movq", "movq", VQModel(**config), config, lambda m, z: m.decode(z, force_not_quantize=True).sample, rand(1, 5, 4, 6))
    save_file(out, HERE / "golden.safetensors")
    (HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
