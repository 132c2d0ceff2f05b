"""Makes the picture files beside it with Pillow, and expected/*.png: what Pillow reads from them, upright. Run by a developer."""
import io, os, struct, zlib
from PIL import Image, ImageFilter, ImageOps, PngImagePlugin

os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.makedirs("expected", exist_ok=True)
W, H = 20, 14


def rgba(x, y):
    return (x * 12 % 256, y * 18 % 256, (x * 7 + y * 5) % 256, 0 if x < 3 else min(255, 40 + x * 11))


def picture(mode):
    im = Image.new("RGBA", (W, H))
    im.putdata([rgba(x, y) for y in range(H) for x in range(W)])
    return im.convert(mode) if mode != "RGBA" else im


def expect(name, mode):
    im = ImageOps.exif_transpose(Image.open(name)).convert(mode)
    im.save("expected/" + name.replace(".", "_") + ".png")


def save(name, im, mode="RGB", **options):
    im.save(name, **options)
    expect(name, mode)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth, colour, interlace, rows, extra=b"", size=(W, H)):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")


def raw(name, data, mode=None, expected=None):
    with open(name, "wb") as f:
        f.write(data)
    if expected is not None:
        expected.save("expected/" + name.replace(".", "_") + ".png")
    else:
        expect(name, mode)


rgb = picture("RGB")
for n in range(1, 9):                       # all orientations, in each container
    exif = Image.Exif()
    exif[0x0112] = n
    exif[0x010F] = "maker"
    save(f"orientation{n}.jpg", rgb, exif=exif, quality=95, subsampling=0)
exif = Image.Exif()
exif[0x0112] = 6
save("orientation6.png", rgb, exif=exif)
save("orientation6.webp", rgb, exif=exif, lossless=True)

save("rgb.png", rgb)
save("rgba.png", picture("RGBA"), "RGBA")
save("grey.png", picture("L"))
save("greyalpha.png", picture("LA"), "RGBA")
save("bit.png", picture("1"))
pal = rgb.quantize(16)
save("palette.png", pal)
pal.save("palettealpha.png", transparency=bytes(range(0, 256, 17)))
expect("palettealpha.png", "RGBA")
rgb.save("rgbkey.png", transparency=rgb.getpixel((5, 5)))
expect("rgbkey.png", "RGBA")
save("palette2.png", rgb.quantize(3), bits=2)

# 16-bit: the high byte is kept, as Pillow and libpng's strip do
v16 = lambda x, y, c: (rgba(x, y)[c] * 256 + (x * 37 + y * 11 + c) % 256)
for colour, bands, name in ((0, (0,), "grey16"), (2, (0, 1, 2), "rgb16"), (4, (0, 3), "greyalpha16"), (6, (0, 1, 2, 3), "rgba16")):
    rows = [b"\0" + b"".join(struct.pack(">H", v16(x, y, c)) for x in range(W) for c in bands) for y in range(H)]
    mode = "RGBA" if colour >= 4 else "RGB"
    want = Image.new(mode, (W, H))
    grey = colour in (0, 4)
    want.putdata([tuple((v16(x, y, 0 if grey and c < 3 else c) >> 8) for c in range(len(mode))) for y in range(H) for x in range(W)])
    raw(name + ".png", png(16, colour, 0, rows), expected=want)

# 4-bit grey with a transparent level; every filter type; Adam7, which Pillow does not write
row4 = lambda y: bytes((((x + y) % 16) << 4) | ((x + 1 + y) % 16) for x in range(0, W, 2))
want = Image.new("RGBA", (W, H))
want.putdata([((x + y) % 16 * 17,) * 3 + (0 if (x + y) % 16 == 9 else 255,) for y in range(H) for x in range(W)])
raw("grey4key.png", png(4, 0, 0, [b"\0" + row4(y) for y in range(H)], chunk(b"tRNS", b"\0\x09")), expected=want)


def filtered(y, kind):
    line = lambda y: [v for x in range(W) for v in rgba(x, y)[:3]] if y >= 0 else [0] * (3 * W)
    cur, up = line(y), line(y - 1)
    out = [kind]
    for i, v in enumerate(cur):
        a, b, c = (cur[i - 3] if i >= 3 else 0), up[i], (up[i - 3] if i >= 3 else 0)
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((v - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
    return bytes(out)


raw("filters.png", png(8, 2, 0, [filtered(y, y % 5) for y in range(H)]), "RGB")
passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
rows = [b"\0" + b"".join(bytes(rgba(x, y)) for x in range(x0, W, dx)) for x0, y0, dx, dy in passes for y in range(y0, H, dy)]
raw("interlaced.png", png(8, 6, 1, rows), "RGBA")
bits = lambda v: bytes(sum((v[i + j] if i + j < len(v) else 0) << (7 - j) for j in range(8)) for i in range(0, len(v), 8))
rows = [b"\0" + bits([(x * y + x) // 3 % 2 for x in range(x0, 3, dx)]) for x0, y0, dx, dy in passes if x0 < 3 for y in range(y0, 5, dy)]
raw("interlacedbit.png", png(1, 0, 1, rows, size=(3, 5)), "RGB")

save("rgb.jpg", rgb, quality=90)
save("rgb444.jpg", rgb, quality=95, subsampling=0)
save("grey.jpg", picture("L"), quality=95)
save("progressive.jpg", rgb, quality=90, progressive=True)
inks = Image.merge("CMYK", [*rgb.split(), rgb.split()[0].point(lambda v: v // 2)])
save("cmyk.jpg", inks, quality=95)
save("keeprgb.jpg", rgb, quality=95, keep_rgb=True)
# YCCK: the CMYK file's planes relabelled; Adobe's transform flag says which
data = bytearray(open("cmyk.jpg", "rb").read())
at = data.find(b"Adobe")
data[at + 11] = 2
raw("ycck.jpg", bytes(data), "RGB")

save("lossy.webp", rgb, quality=90)
save("lossless.webp", rgb, lossless=True)
save("alpha.webp", picture("RGBA"), "RGBA", lossless=True, exact=True)
save("alphalossy.webp", picture("RGBA"), "RGBA", quality=90)

# texts
text = "a cat, in a hat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 20x14"
wide = text.replace("cat", "ねこ \U0001F408")
info = PngImagePlugin.PngInfo()
info.add_text("parameters", text)
info.add_itxt("Title", "caf\u00e9 \u2615", lang="fr", tkey="Titre", zip=True)
info.add_text("workflow", "{}" * 500, zip=True)
rgb.save("text.png", pnginfo=info)
for name, prefix, body in (("be", b"UNICODE\0", wide.encode("utf-16-be")), ("le", b"UNICODE\0", wide.encode("utf-16-le")),
                           ("ascii", b"ASCII\0\0\0", text.encode())):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = prefix + body
    rgb.save(f"comment-{name}.jpg", exif=exif)
    rgb.save(f"comment-{name}.webp", exif=exif, lossless=True)

# resizing
filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
for name, f in filters.items():
    for w, h in ((9, 5), (47, 31), (20, 3), (1, 14)):
        picture("RGB").resize((w, h), f).save(f"expected/resize-rgb-{name}-{w}x{h}.png")
        picture("RGBA").resize((w, h), f).save(f"expected/resize-rgba-{name}-{w}x{h}.png")

# blurring
for radius in (0.3, 1, 4, 40):
    for mode in ("RGB", "RGBA"):
        picture(mode).filter(ImageFilter.GaussianBlur(radius)).save(f"expected/blur-{mode.lower()}-{radius:g}.png")
