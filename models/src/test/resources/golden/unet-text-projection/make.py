"""A tiny UNet2DConditionModel that projects the text states (encoder_hid_dim), and diffusers' answer."""
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

torch.manual_seed(1)
unet = UNet2DConditionModel(sample_size=8, in_channels=3, out_channels=3, block_out_channels=(8, 12), layers_per_block=1,
                            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
                            attention_head_dim=(2, 3), norm_num_groups=4, encoder_hid_dim=11, encoder_hid_dim_type="text_proj",
                            cross_attention_dim=6).eval()
with torch.no_grad():
    for p in unet.parameters():
        p.add_(0.1 * torch.randn_like(p))
    x, t, context = torch.randn(2, 3, 8, 6), torch.tensor([3, 801]), torch.randn(2, 5, 11)
    y = unet(x, t, context).sample
unet.save_pretrained(".")
save_file({"x": x, "t": t, "context": context, "y": y}, "golden.safetensors")
