"""U-Nets with SimpleCrossAttn blocks by diffusers 0.42.1, one for each setting that such configs have. python make.py, here.

Weights are not stored: they are drawn from the case's seed, in the order of their names, as Fixture.seeded draws them."""
import json
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from safetensors.torch import save_file

HERE = Path(__file__).parent
SIMPLE = dict(sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, attention_head_dim=4, cross_attention_dim=20,
              down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"), mid_block_type="UNetMidBlock2DSimpleCrossAttn",
              up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), resnet_time_scale_shift="scale_shift", out_channels=6, in_channels=3)
B = 2


def rand(g, *shape):
    return torch.randn(shape, generator=g)


def case(out, cases, name, model, shape=(3, 8, 12), **given):
    seed = len(cases)
    g = torch.Generator().manual_seed(seed)
    for key, p in sorted(model.named_parameters()):
        p.data = torch.randn(p.shape, generator=g) * (0.3 if p.dim() == 1 else p[0].numel() ** -0.5)
        if p.dim() == 1 and key.endswith(".weight"):
            p.data += 1
    model.eval()
    g = torch.Generator().manual_seed(99)
    x, t = rand(g, B, *shape), torch.tensor([701, 33])
    given = {k: v(g) if callable(v) else v for k, v in given.items()}
    arguments = {"encoder_hidden_states": given.get("text", torch.zeros(B, 1, 1))} if not isinstance(model, UNet2DModel) else {}
    if "label" in given:
        arguments["class_labels"] = given["label"]
    if "text_mask" in given:
        arguments["attention_mask"] = given["text_mask"]
    added = {}
    if "image" in given:
        added["image_embeds"] = given["image"]
    if "pooled_text" in given:
        added["text_embeds"] = given["pooled_text"]
    if "hint" in given:
        added["hint"] = given["hint"]
    if added:
        arguments["added_cond_kwargs"] = added
    with torch.no_grad():
        y = model(x, t, **arguments).sample
    tensors = {"x": x, "t": t, "y": y, **given}
    out.update({f"{name}/{k}": v.contiguous() for k, v in tensors.items()})
    config = {k: v for k, v in model.config.items() if k not in ("_use_default_values", "_name_or_path")}
    config["_class_name"] = type(model).__name__
    cases.append({"name": name, "seed": seed, "given": sorted(given), "config": config})


def main():
    out, cases = {}, []
    unet = lambda **kw: UNet2DConditionModel(**{**SIMPLE, **kw})
    add = lambda *a, **kw: case(out, cases, *a, **kw)
    text = lambda width, length=5: lambda g: rand(g, B, length, width)
    # DeepFloyd IF: stage II with the published stage's options, three levels, lists
    add("if-second", unet(in_channels=6, class_embed_type="timestep", addition_embed_type="text", addition_embed_type_num_heads=3, encoder_hid_dim=12,
                          cross_attention_dim=32, cross_attention_norm="group_norm", act_fn="gelu", time_embedding_act_fn="gelu", resnet_skip_time_act=True,
                          resnet_out_scale_factor=1.41421, mid_block_scale_factor=1.3, only_cross_attention=True, mid_block_only_cross_attention=False,
                          block_out_channels=(8, 12, 16), layers_per_block=(1, 2, 1), attention_head_dim=(4, 6, 8), freq_shift=1, flip_sin_to_cos=False,
                          down_block_types=("ResnetDownsampleBlock2D",) * 2 + ("SimpleCrossAttnDownBlock2D",),
                          up_block_types=("SimpleCrossAttnUpBlock2D",) + ("ResnetUpsampleBlock2D",) * 2),
        shape=(6, 16, 8), text=text(12), label=torch.tensor([250, 3]))
    add("if-lists", unet(addition_embed_type="text", addition_embed_type_num_heads=4, cross_attention_dim=20, only_cross_attention=[False, True],
                         center_input_sample=True, conv_in_kernel=5, time_embedding_dim=24, resnet_time_scale_shift="default",
                         down_block_types=("SimpleCrossAttnDownBlock2D",) * 2, up_block_types=("SimpleCrossAttnUpBlock2D",) * 2), text=text(20))
    # Karlo: identity label, masked text
    add("karlo", unet(class_embed_type="identity"), text=text(20), label=lambda g: rand(g, B, 32),
        text_mask=torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]))
    add("karlo-super", UNet2DModel(sample_size=8, in_channels=6, out_channels=3, block_out_channels=(8, 16), layers_per_block=2, norm_num_groups=4,
                                   down_block_types=("ResnetDownsampleBlock2D",) * 2, up_block_types=("ResnetUpsampleBlock2D",) * 2,
                                   resnet_time_scale_shift="scale_shift", attention_head_dim=4), shape=(6, 8, 12))
    # Kandinsky 2.2, its ControlNet, 2.1
    add("kandinsky", unet(in_channels=4, out_channels=8, encoder_hid_dim=10, encoder_hid_dim_type="image_proj", addition_embed_type="image"),
        shape=(4, 8, 12), image=lambda g: rand(g, B, 10))
    add("kandinsky-hint", unet(in_channels=8, out_channels=8, encoder_hid_dim=10, encoder_hid_dim_type="image_proj", addition_embed_type="image_hint"),
        shape=(4, 4, 6), image=lambda g: rand(g, B, 10), hint=lambda g: rand(g, B, 3, 32, 48))
    add("kandinsky-1", unet(in_channels=4, out_channels=8, encoder_hid_dim=14, encoder_hid_dim_type="text_image_proj", addition_embed_type="text_image"),
        shape=(4, 8, 12), text=text(14), image=lambda g: rand(g, B, 20), pooled_text=lambda g: rand(g, B, 20))
    # the other labels
    add("table", unet(num_class_embeds=7, mid_block_type=None), text=text(20), label=torch.tensor([6, 2]))
    add("projection", unet(class_embed_type="projection", projection_class_embeddings_input_dim=9, mid_block_type="UNetMidBlock2D"),
        text=text(20), label=lambda g: rand(g, B, 9))
    add("simple-projection", unet(class_embed_type="simple_projection", projection_class_embeddings_input_dim=9), text=text(20), label=lambda g: rand(g, B, 9))
    save_file(out, HERE / "golden.safetensors")
    (HERE / "golden.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
