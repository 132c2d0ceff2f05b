"""Makes full-size models with random weights, as diffusers would save the published ones: models.py FOLDER NAME...

NAME is sd15, sd21, small (15 million parameters in the U-Net) or if (the U-Net of DeepFloyd's IF-I-M alone). A folder that is there is
left alone.
"""
import json
import os
import shutil
import sys

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UNETS = {
    "sd15": dict(sample_size=64, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, attention_head_dim=8,
                 cross_attention_dim=768),
    "sd21": dict(sample_size=96, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, attention_head_dim=[5, 10, 20, 20],
                 cross_attention_dim=1024, use_linear_projection=True),
    "small": dict(sample_size=32, block_out_channels=(64, 128, 256), layers_per_block=1, attention_head_dim=8, cross_attention_dim=256),
}
SIMPLE = "SimpleCrossAttn"
IF = dict(sample_size=64, in_channels=3, out_channels=6, block_out_channels=(192, 384, 576, 768), layers_per_block=3, attention_head_dim=64,
          cross_attention_dim=768, cross_attention_norm="group_norm", encoder_hid_dim=4096, encoder_hid_dim_type="text_proj",
          addition_embed_type="text", addition_embed_type_num_heads=64, resnet_time_scale_shift="scale_shift", act_fn="gelu",
          down_block_types=("ResnetDownsampleBlock2D",) + (SIMPLE + "DownBlock2D",) * 3, mid_block_type="UNetMidBlock2D" + SIMPLE,
          up_block_types=(SIMPLE + "UpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",))
TEXTS = {
    "sd15": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu"),
    "sd21": dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu"),
    "small": dict(hidden_size=256, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=4, hidden_act="quick_gelu"),
}
VAES = {
    "sd15": dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512),
    "sd21": dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=768),
    "small": dict(block_out_channels=(32, 64, 64), layers_per_block=1, sample_size=128),
}


def make(folder, name):
    torch.manual_seed(0)
    half = folder + ".part"
    shutil.rmtree(half, ignore_errors=True)
    if name == "if":
        make_unet(half, name, IF)
        index(half, {"_class_name": "IFPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})
    else:
        levels = len(UNETS[name]["block_out_channels"])
        make_unet(half, name, dict(down_block_types=(CROSS,) * (levels - 1) + (PLAIN,),
                                   up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1), **UNETS[name]))
        make_rest(half, name)
    os.rename(half, folder)


def make_unet(folder, name, config):
    unet = UNet2DConditionModel(**config)
    unet.save_pretrained(folder + "/unet")
    print(f"{name}: {sum(p.numel() for p in unet.parameters()) / 1e6:.0f} million parameters in the U-Net", file=sys.stderr)


def make_rest(half, name):
    blocks = len(VAES[name]["block_out_channels"])
    AutoencoderKL(down_block_types=("DownEncoderBlock2D",) * blocks, up_block_types=("UpDecoderBlock2D",) * blocks,
                  latent_channels=4, **VAES[name]).save_pretrained(half + "/vae")
    CLIPTextModel(CLIPTextConfig(projection_dim=TEXTS[name]["hidden_size"], bos_token_id=49406, eos_token_id=49407,
                                 **TEXTS[name])).save_pretrained(half + "/text_encoder")
    PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1,
                  prediction_type="v_prediction" if name == "sd21" else "epsilon").save_pretrained(half + "/scheduler")
    tokenizer(half + "/tokenizer")
    index(half, {"_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "PNDMScheduler"],
                 "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
                 "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})


def index(folder, parts):
    with open(folder + "/model_index.json", "w") as f:
        json.dump(parts, f, indent=2)


def tokenizer(folder):
    """CLIP's alphabet without merges: 49,408 ids, of which a prompt's letters use the first 512."""
    os.makedirs(folder)
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters = [chr(c) for c in plain] + [chr(256 + i) for i in range(256 - len(plain))]
    words = letters + [letter + "</w>" for letter in letters]
    words += [f"unused{i}</w>" for i in range(49406 - len(words))] + ["<|startoftext|>", "<|endoftext|>"]
    with open(folder + "/vocab.json", "w") as f:
        json.dump({word: i for i, word in enumerate(words)}, f)
    with open(folder + "/merges.txt", "w") as f:
        f.write("#version: 0.2\n")
    with open(folder + "/tokenizer_config.json", "w") as f:
        json.dump({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>",
                   "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}, f)
    with open(folder + "/special_tokens_map.json", "w") as f:
        json.dump({"pad_token": "<|endoftext|>", "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
                   "unk_token": "<|endoftext|>"}, f)


if __name__ == "__main__":
    for model in sys.argv[2:]:
        target = os.path.join(sys.argv[1], model)
        if not os.path.exists(target):
            make(target, model)
