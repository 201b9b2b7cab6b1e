"""Picture files of many kinds, for the tests of what reads them."""

import numpy as np
from PIL import Image

FLAG = np.zeros((28, 28), np.uint8)  # light on dark, and another image if turned or mirrored
FLAG[4:9, 3:21] = 255


def plain_pictures():
    """Opaque pictures with 8 bits a channel, by the names of files that lose nothing."""
    rng = np.random.default_rng(0)
    rgb = Image.fromarray(rng.integers(0, 256, (60, 40, 3), dtype=np.uint8))
    palette = Image.fromarray(rng.integers(0, 256, (30, 30), dtype=np.uint8), "P")
    palette.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
    return {
        "grey.png": Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)),
        "grey.tif": rgb.convert("L"),
        "rgb.png": rgb,
        "rgb.bmp": rgb.crop((0, 0, 40, 20)),
        "palette.png": palette,
        "palette.gif": palette,
        "bits.png": Image.fromarray(rng.random((50, 50)) < 0.5),
        "opaque.png": rgb.convert("RGBA"),
    }


def orientation(value):
    """Return EXIF data that say how a picture is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


# Below, `shown` is what is to be seen: FLAG or its negative. Where a picture has transparency,
# only that tells the flag from what is around it.


def _grey(shown, mode="L"):
    return Image.fromarray(shown).convert(mode)


def _deep(shown, dtype="<u2"):
    return Image.fromarray(shown.astype(dtype) * 257)


def _lying(picture):
    """Lay a picture on its side; orientation 6, a turn by 90° clockwise, puts it upright."""
    return picture.transpose(Image.Transpose.ROTATE_90)


def _transparent(shown, mode):
    picture = Image.new("L", (28, 28), _colour(shown))
    picture.putalpha(Image.fromarray(np.where(_is_flag(shown), 255, 0).astype(np.uint8)))
    return picture.convert(mode)


def _palette(shown, around):
    """Return a picture whose colour 0 is the flag's and colour 1 is `around`."""
    picture = Image.fromarray(np.where(_is_flag(shown), 0, 1).astype(np.uint8), "P")
    picture.putpalette([_colour(shown)] * 3 + [around] * 3)
    return picture


def _nearly_alike(shown):
    """Return the grey around the flag that `tRNS` declares transparent."""
    return 250 if _colour(shown) else 5


def _on_nearly_alike(shown, mode):
    return _grey(np.where(_is_flag(shown), shown, _nearly_alike(shown)).astype(np.uint8), mode)


def _is_flag(shown):
    return shown == shown[6, 6]


def _colour(shown):
    return int(shown[6, 6])


def _more_frames(mode):
    frames = [Image.new("L", (28, 28), level).convert(mode) for level in (0, 128, 255)]
    return {"save_all": True, "append_images": frames, "duration": 100}


SIDEWAYS = {"exif": orientation(6)}
LOSSLESS = {"lossless": True, "exact": True}

# by kind: from `shown` to a picture, the suffix of its file, and how it is saved
KINDS = {
    "grey": lambda s: (_grey(s), "png", {}),
    "RGB": lambda s: (_grey(s, "RGB"), "bmp", {}),
    "1 bit": lambda s: (_grey(s, "1"), "png", {}),
    "palette": lambda s: (_palette(s, 255 - _colour(s)), "png", {}),
    "16 bits": lambda s: (_deep(s), "png", {}),
    "16 bits, big-endian": lambda s: (_deep(s, ">u2"), "tif", {}),
    "CMYK": lambda s: (_grey(s, "RGB").convert("CMYK"), "jpg", {"quality": 100}),
    "EXIF in JPEG": lambda s: (_lying(_grey(s)), "jpg", SIDEWAYS | {"quality": 100}),
    "EXIF in PNG": lambda s: (_lying(_grey(s)), "png", SIDEWAYS),
    "EXIF in TIFF": lambda s: (_lying(_grey(s)), "tif", SIDEWAYS),
    "EXIF, 16 bits": lambda s: (_lying(_deep(s)), "png", SIDEWAYS),
    "EXIF, palette with opacities": lambda s: (
        _lying(_palette(s, _colour(s))),
        "png",
        SIDEWAYS | {"transparency": b"\xff\0"},
    ),
    "EXIF, broken": lambda s: (_grey(s), "png", {"exif": b"Exif\0\0nonsense"}),
    "animated GIF": lambda s: (_grey(s), "gif", _more_frames("L")),
    "animated WebP": lambda s: (_grey(s, "RGB"), "webp", _more_frames("RGB") | LOSSLESS),
    "animated RGBA": lambda s: (
        _transparent(s, "RGBA"),
        "webp",
        _more_frames("RGBA") | LOSSLESS,
    ),
    "pages of a TIFF": lambda s: (_grey(s), "tif", _more_frames("L")),
    "LA": lambda s: (_transparent(s, "LA"), "png", {}),
    "RGBA": lambda s: (_transparent(s, "RGBA"), "png", {}),
    "RGBA, opaque": lambda s: (_grey(s, "RGBA"), "png", {}),
    "palette with opacities": lambda s: (
        _palette(s, _colour(s)),
        "png",
        {"transparency": b"\xff\0"},
    ),
    "palette with a transparent colour": lambda s: (_palette(s, 77), "png", {"transparency": 1}),
    "GIF with a transparent colour": lambda s: (_palette(s, 77), "gif", {"transparency": 1}),
    "grey with a transparent colour": lambda s: (
        _on_nearly_alike(s, "L"),
        "png",
        {"transparency": _nearly_alike(s)},
    ),
    "RGB with a transparent colour": lambda s: (
        _on_nearly_alike(s, "RGB"),
        "png",
        {"transparency": (_nearly_alike(s),) * 3},
    ),
}


def write_classes(root, names, count=8):
    """Write a folder data set: for each class `count` pictures with a light bar of its own."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for place, name in enumerate(names):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 20, (28, 28), dtype=np.uint8)
                pixels[2 + 6 * place : 6 + 6 * place] += 200
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
