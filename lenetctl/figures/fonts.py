"""The fonts of pictures: matplotlib's own, then installed ones for the scripts that it lacks."""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

FAMILY = "DejaVu Sans"  # comes with matplotlib: the same widths everywhere
FALLBACKS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "MS Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Nirmala UI",
    "Noto Emoji",
    "Arial Unicode MS",
)


@cache
def families() -> list[str]:
    """Return the fonts to look for a letter in, the first that has it first."""
    installed = set(fontManager.get_font_names())
    return [FAMILY, *(name for name in FALLBACKS if name in installed)]


def legible(text: str) -> str:
    """Return `text` with its code, such as U+732B, for each letter that no font here has."""
    if text.isascii():
        return text
    return "".join(
        letter if letter.isspace() or ord(letter) in _letters() else f"U+{ord(letter):04X}"
        for letter in text
    )


@cache
def _letters() -> frozenset[int]:
    paths = [findfont(FontProperties(family=name)) for name in families()]
    return frozenset().union(*(get_font(path).get_charmap() for path in paths))
