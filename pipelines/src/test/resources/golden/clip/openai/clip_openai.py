# A tiny CLIP in OpenAI's own file: a TorchScript archive in float16, widths of 64 because a head is 64 wide there. open_clip computes.
import json, os, sys
import torch, open_clip
from safetensors.torch import save_file
out = sys.argv[1]
torch.manual_seed(11)
cfg = dict(embed_dim=24, quick_gelu=True, vision_cfg=dict(image_size=32, layers=1, width=64, head_width=64, patch_size=16, mlp_ratio=1.0),
           text_cfg=dict(context_length=77, vocab_size=734, width=64, heads=1, layers=1, mlp_ratio=1.0))
model = open_clip.model.CLIP(**cfg).eval()
with torch.no_grad():
    for p in model.parameters():
        p.copy_((p + 0.05 * torch.randn_like(p)).half().float())
ids = torch.zeros(2, 77, dtype=torch.long); ids[:, 0] = 732
ids[0, 1:5] = torch.tensor([5, 300, 17, 733]); ids[1, 1:4] = torch.tensor([99, 640, 733])
x = torch.randn(2, 3, 32, 32)
with torch.no_grad():
    t, v = model.encode_text(ids, normalize=True), model.encode_image(x, normalize=True)
scripted = torch.jit.script(model.half())
torch.jit.save(scripted, os.path.join(out, "clip.pt"))
save_file({"ids": ids, "pixels": x, "texts": t, "pictures": v}, os.path.join(out, "golden.safetensors"))
