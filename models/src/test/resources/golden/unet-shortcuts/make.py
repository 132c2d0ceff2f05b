"""What DeepCache and token merging make of the U-Nets in the pipelines' sd-variants, on diffusers' modules."""
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

VARIANTS = Path(__file__).resolve().parents[6] / "pipelines/src/test/resources/golden/sd-variants"
SIZES = {"lists": (8, 6), "three-levels": (7, 9), "four-levels": (16, 8), "linear-projection": (8, 8), "scale-shift": (6, 8),
         "plain-first": (8, 8), "one-level": (5, 8), "no-attention": (8, 8)}
RATIO = 0.4


def whole(unet, x, t, context):
    """The answer, and what the last but one of the last block's residual blocks gets beside its skip."""
    deep, skip = [], unet.config.block_out_channels[0]
    hook = unet.up_blocks[-1].resnets[-2].register_forward_pre_hook(lambda m, args: deep.append(args[0][:, :-skip]))
    y = unet(x, t, context).sample
    hook.remove()
    return y, deep[0]


def shallow(unet, x, t, context, deep):
    """Ma et al. 2023: the first skip branch and what is above it, the features from below being given."""
    time = unet.time_embedding(unet.time_proj(t).to(x.dtype))
    first = unet.conv_in(2 * x - 1 if unet.config.center_input_sample else x)
    second = layer(unet.down_blocks[0], 0, first, time, context)
    up = unet.up_blocks[-1]
    x = layer(up, len(up.resnets) - 2, torch.cat([deep, second], 1), time, context)
    x = layer(up, len(up.resnets) - 1, torch.cat([x, first], 1), time, context)
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


def layer(block, i, x, time, context):
    x = block.resnets[i](x, time)
    return block.attentions[i](x, encoder_hidden_states=context).sample if hasattr(block, "attentions") else x


def matching(metric, h, w, ratio):
    """Bolya and Hoffman 2023: bipartite soft matching, where the first place of each 2x2 window is a destination."""
    n = h * w
    first = torch.zeros(h, w, dtype=torch.bool)
    first[: h // 2 * 2 : 2, : w // 2 * 2 : 2] = True
    a = (~first.flatten()).nonzero()[:, 0]
    b = first.flatten().nonzero()[:, 0]
    metric = metric / metric.norm(dim=-1, keepdim=True)
    best, to = (metric[:, a] @ metric[:, b].transpose(1, 2)).max(-1)
    order = best.argsort(-1, descending=True)
    r = min(len(a), int(n * ratio))
    rows = torch.arange(len(metric))[:, None]

    def merge(x):
        out = []
        for i in range(len(x)):
            sums, counts = x[i, b].clone(), x.new_ones(len(b), 1)
            for j in order[i, :r]:
                sums[to[i, j]] += x[i, a[j]]
                counts[to[i, j]] += 1
            out.append(torch.cat([x[i, a[order[i, r:]]], sums / counts]))
        return torch.stack(out)

    def unmerge(y):
        out = y.new_zeros(len(y), n, y.shape[-1])
        kept = len(a) - r
        out[rows, a[order[:, r:]]] = y[:, :kept]
        out[:, b] = y[:, kept:]
        merged = order[:, :r]
        out[rows, a[merged]] = y[:, kept:][rows, torch.gather(to, 1, merged)]
        return out

    return merge, unmerge


class Merged(torch.nn.Module):
    def __init__(self, block, size, ratio):
        super().__init__()
        self.attention, self.size, self.ratio = block.attn1, size, ratio
        block.register_forward_pre_hook(lambda m, args: setattr(self, "metric", args[0]))

    def forward(self, x, **kwargs):
        merge, unmerge = matching(self.metric, *self.size, self.ratio)
        return unmerge(self.attention(merge(x), **kwargs))


# In double precision, so that the numbers have no noise of their own.
torch.manual_seed(3)
tensors = {}
for name, size in SIZES.items():
    unet = UNet2DConditionModel.from_pretrained(VARIANTS / name / "unet").double().eval()
    width = unet.config.cross_attention_dim
    x, context = torch.randn(2, unet.config.in_channels, *size).double(), torch.randn(2, 5, width).double()
    later = (x + 0.1 * torch.randn_like(x)).float().double()
    with torch.no_grad():
        y, deep = whole(unet, x, torch.tensor([801, 801]), context)
        assert torch.allclose(shallow(unet, x, torch.tensor([801, 801]), context, deep), y, atol=1e-9)
        case = {"x": x, "later": later, "context": context, "deep": deep,
                "shallow": shallow(unet, later, torch.tensor([741, 741]), context, deep.float().double())}
        for block in (unet.down_blocks[0], unet.up_blocks[-1]):
            for transformer in getattr(block, "attentions", []):
                for each in transformer.transformer_blocks:
                    each.attn1 = Merged(each, size, RATIO)
        case["merged"] = unet(x, torch.tensor([801, 801]), context).sample
    tensors.update({f"{name}.{role}": t.float().contiguous() for role, t in case.items()})
save_file(tensors, "golden.safetensors")
