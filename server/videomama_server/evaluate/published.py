"""Figures that others have published, each with its source and with what differs from ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from videomama_server.evaluate.asked import GIVEN

_PLUS = "VideoMaMa++ (project page, 2026), comparison at 1080p with the same SAM 3 masks for all methods"
_PAPER = "VideoMaMa (paper), table 2: a mask on every frame"
_FIRST = "VideoMaMa (paper), table 3: a mask on the first frame, followed by SAM 2"
_SAM3 = "Its masks are SAM 3's; ours are those that lie in the data. How clips are averaged is not stated."
_SAM2 = (
    "Its masks are SAM 2's, followed from the first frame; ours are those in the data. The size of its pictures is "
    "not stated, nor how clips are averaged, nor what MAD-T is."
)
_SAM2_FIRST = (
    "Both follow the first frame's mask by SAM 2; whose mask that was there, and which SAM 2, is not known here. The "
    "size of its pictures is not stated, nor how clips are averaged, nor what MAD-T is."
)
_DOWN = "The degradation is the same by its description, on clips of 12 frames. How clips are averaged is not stated."
_POLYGON = (
    "How coarse its polygons are is not stated, nor the size of the pictures, nor how clips are averaged. Ours stray "
    "from the outline by 0.5 % of its length."
)
_TRACKED = (
    "Its clips have 12 frames. How SAM 2 was guided is not known here. The size of the pictures is not stated, nor how "
    "clips are averaged."
)
_DOWN_EACH = f"{_DOWN} Nor is the size of the pictures, nor whether subjects or clips are averaged."
_HD = (1920, 1080)


@dataclass(frozen=True)
class Published:
    """A line of someone else's table.

    Attributes:
        data: name of the data set.
        group: of it, empty for all.
        masks: kind of masks, as ours are named.
        method: as published.
        figures: by measure, in its units here.
        source: where it stands.
        differs: what is not the same as here.
        size: of the pictures; None where it is not stated, and then it is the data set's own.
    """

    data: str
    group: str
    masks: str
    method: str
    figures: dict[str, float]
    source: str
    differs: str
    size: tuple[int, int] | None = None


def beside(data: str, group: str, size: tuple[int, int] | None, masks: str) -> Iterator[Published]:
    """Yield the figures that may stand beside ours: the same data, size of pictures and kind of masks.

    Args:
        data: name of the data set.
        group: part of it.
        size: of its pictures; None for several.
        masks: kind of masks.
    """
    for one in _PUBLISHED:
        if (one.data, one.masks) == (data, masks) and one.group in ("", group) and one.size in (None, size):
            yield one


def _lines(
    place: tuple[str, str, str], source: str, differs: str, rows: dict[str, dict[str, float]]
) -> Iterator[Published]:
    data, group, masks = place
    size = None if source is not _PLUS and data == "V-HIM60" else _HD
    for method, figures in rows.items():
        yield Published(data, group, masks, method, figures, source, differs, size)


def _all(mad: float, mse: float, grad: float, dtssd: float, conn: float | None = None) -> dict[str, float]:
    figures = {"mad": mad, "mse": mse, "grad": grad, "dtssd": dtssd}
    return figures if conn is None else {**figures, "conn": conn}


def _trimap(mad: float, mad_t: float, mse: float, grad: float) -> dict[str, float]:
    return {"mad": mad, "mse": mse, "grad": grad, "mad_t": mad_t}


def _edge(mad: float, grad: float) -> dict[str, float]:
    return {"mad": mad, "grad": grad}


def _table_2(mask: float, maggie: float, own: float) -> dict[str, dict[str, float]]:
    return {"mask": {"mad": mask}, "MaGGIe, fine-tuned": {"mad": maggie}, "VideoMaMa": {"mad": own}}


_HARD = ("V-HIM60", "comp_hard")
_FIRST_FRAME = {
    "SAM 2 mask": _trimap(7.85, 130.0, 6.01, 26.34),
    "MatAnyone": _trimap(5.72, 102.5, 3.46, 9.82),
    "SAM 2 + VideoMaMa": _trimap(2.78, 53.4, 1.44, 4.83),
    "SAM2-Matte": _trimap(2.61, 58.8, 1.08, 5.09),
}
_MAGGIE_8, _MAGGIE_32 = ({"MaGGIe, fine-tuned": {"mad": mad}} for mad in (2.652, 2.896))
_PUBLISHED: tuple[Published, ...] = (
    *_lines(
        ("VideoMatte", "", GIVEN),
        _PLUS,
        _SAM3,
        {
            "SAM 3 mask": _all(5.05, 0.94, 12.02, 3.11),
            "MaGGIe": _all(4.26, 0.27, 3.61, 1.23),
            "MatAnyone": _all(4.17, 0.27, 3.59, 1.17),
            "MatAnyone 2": _all(4.04, 0.24, 3.13, 1.13),
            "VideoMaMa": _all(4.34, 0.27, 4.06, 1.21),
            "VideoMaMa++": _all(3.86, 0.12, 1.79, 0.82),
        },
    ),
    *_lines(
        ("YouTubeMatte", "", GIVEN),
        _PLUS,
        _SAM3,
        {
            "SAM 3 mask": _all(2.35, 1.11, 14.63, 3.28),
            "MaGGIe": _all(1.67, 0.50, 5.11, 1.46),
            "MatAnyone": _all(1.74, 0.53, 7.37, 1.56),
            "MatAnyone 2": _all(1.52, 0.44, 6.46, 1.48),
            "VideoMaMa": _all(1.41, 0.30, 4.08, 1.31),
            "VideoMaMa++": _all(1.15, 0.23, 3.27, 1.17),
        },
    ),
    *_lines(
        (*_HARD, GIVEN),
        _PLUS,
        _SAM3,
        {
            "SAM 3 mask": _all(3.91, 2.09, 18.37, 5.08, 6.97),
            "MaGGIe": _all(2.72, 1.03, 6.05, 3.18, 4.72),
            "MatAnyone": _all(4.04, 2.29, 7.04, 4.08, 7.10),
            "MatAnyone 2": _all(4.73, 2.93, 6.69, 3.70, 8.06),
            "VideoMaMa": _all(2.30, 0.75, 5.04, 2.51, 3.83),
            "VideoMaMa++": _all(1.69, 0.45, 2.92, 1.98, 2.72),
        },
    ),
    *_lines((*_HARD, GIVEN), _FIRST, _SAM2, _FIRST_FRAME),
    *_lines((*_HARD, "sam2+first"), _FIRST, _SAM2_FIRST, _FIRST_FRAME),
    *_lines((*_HARD, "sam2"), _PAPER, _TRACKED, _table_2(4.666, 3.644, 2.435)),
    *_lines((*_HARD, "polygon"), _PAPER, _POLYGON, _table_2(6.771, 3.446, 1.640)),
    *_lines(
        (*_HARD, "down8"),
        _PAPER,
        _DOWN_EACH,
        {"mask": _edge(2.744, 11.127), **_MAGGIE_8, "VideoMaMa": _edge(1.306, 2.363)},
    ),
    *_lines(
        (*_HARD, "down32"),
        _PAPER,
        _DOWN_EACH,
        {"mask": _edge(5.132, 33.664), **_MAGGIE_32, "VideoMaMa": _edge(1.461, 2.849)},
    ),
    *_lines(
        ("YouTubeMatte", "", "down8"), _PAPER, _DOWN, {"mask": _edge(1.946, 8.034), "VideoMaMa": _edge(0.934, 2.031)}
    ),
    *_lines(
        ("YouTubeMatte", "", "down32"), _PAPER, _DOWN, {"mask": _edge(4.203, 36.540), "VideoMaMa": _edge(1.029, 2.560)}
    ),
)
