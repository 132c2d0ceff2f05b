"""The lpips package's distance with a tiny VGG16 of torchvision's names and random weights: python make.py, beside this file.

Requirements: torch==2.15.0 torchvision==0.29.2 lpips==0.1.4 safetensors==0.8.0 (lpips's trainer, which wants more, is left out)
"""
import pathlib
import sys
import types

import torch
import torchvision
from safetensors.torch import save_file

sys.modules["lpips.trainer"] = types.ModuleType("lpips.trainer")
import lpips

HERE = pathlib.Path(__file__).parent
WIDTHS = [4, 6, 8, 10, 12]
torch.set_num_threads(1)
torch.manual_seed(0)
layers = [w for width, count in zip(WIDTHS, (2, 2, 3, 3, 3)) for w in [width] * count + ["M"]]
vgg = torchvision.models.VGG(torchvision.models.vgg.make_layers(layers), num_classes=3)
vgg.classifier = torch.nn.Sequential(torch.nn.Linear(12, 3))
with torch.no_grad():
    for p in vgg.parameters():
        p.copy_(torch.randn_like(p) * (p[0].numel() ** -0.5 * 1.5 if p.dim() > 1 else 0.1))
lpips.pretrained_networks.tv.vgg16 = lambda pretrained: vgg
net = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
# Its linear layers are of the published widths: here of these.
net.lins = torch.nn.ModuleList([lpips.NetLinLayer(width, use_dropout=True) for width in WIDTHS])
for i, layer in enumerate(net.lins):
    setattr(net, f"lin{i}", layer)
net.eval()
lins = {}
with torch.no_grad():
    for i in range(5):
        weight = getattr(net, f"lin{i}").model[1].weight
        weight.copy_(torch.rand_like(weight))
        lins[f"lin{i}.model.1.weight"] = weight.clone()
torch.save(vgg.state_dict(), HERE / "vgg16-tiny.pth")
torch.save(lins, HERE / "vgg.pth")
a = torch.rand(3, 3, 40, 36)
b = (a + torch.randn_like(a) * torch.tensor([0.02, 0.2, 0.0]).view(3, 1, 1, 1)).clamp(0, 1)
a.requires_grad_(True)
distance, layers = net(a, b, normalize=True, retPerLayer=True)
distance.sum().backward()
print(distance.flatten().tolist(), [layer.flatten().tolist() for layer in layers])
save_file({"a": a.detach(), "b": b, "distance": distance.detach().flatten(), "gradient": a.grad[:2].contiguous()}, HERE / "golden.safetensors")
