"""Reads the words of channel knobs: which channels `rgb`, `roto`, `all` or `{rgba.red -rgba.green}` mean."""

from __future__ import annotations

RGB = ("rgba.red", "rgba.green", "rgba.blue")
RGBA = (*RGB, "rgba.alpha")
ALPHA = "rgba.alpha"

NAMED = {
    "rgb": RGB,
    "rgba": RGBA,
    "red": ("rgba.red",),
    "green": ("rgba.green",),
    "blue": ("rgba.blue",),
    "alpha": (ALPHA,),
    "depth": ("depth.Z",),
    "mask": ("mask.a",),
    "forward": ("forward.u", "forward.v"),
    "backward": ("backward.u", "backward.v"),
    "motion": ("forward.u", "forward.v", "backward.u", "backward.v"),
}

ORDER = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


def in_order(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Without repeats, rgba first, then layer by layer with red, green, blue, alpha before others."""

    def rank(name: str) -> tuple[bool, str, int, str]:
        layer, _, channel = name.partition(".")
        return layer != "rgba", layer, ORDER.get(channel, 9), channel

    return tuple(sorted(set(names), key=rank))


def select(words: str, present: tuple[str, ...]) -> tuple[str, ...]:
    """The channels among `present` that `words` chooses."""
    chosen: list[str] = []
    for word in words.replace("{", " ").replace("}", " ").split():
        if word.startswith("-") or word in ("none", "0", "false"):
            continue
        chosen += [name for name in present if _means(word, name)]
    return in_order(chosen)


def single(word: str) -> str | None:
    """The full name of the one channel that `word` names; None for `none`."""
    word = word.strip().strip("{}").strip()
    if word in ("", "none", "0", "false"):
        return None
    if word in NAMED:
        return NAMED[word][-1]
    return word


def _means(word: str, name: str) -> bool:
    if word == "all":
        return True
    if word in NAMED:
        return name in NAMED[word]
    return word == name or ("." not in word and name.startswith(word + "."))
