"""Reformat: another format, with the picture scaled into it."""

from __future__ import annotations

from typing import Any

from nuke_standin.pixels.boxes import Format
from nuke_standin.pixels.picture import Picture, PictureError
from nuke_standin.pixels.resampling import transformed


def reformat(step: dict[str, Any], inputs: list[Picture | None]) -> Picture:
    """The picture in `format`, scaled by the rule `resize`, cut at the new format unless `pbb` is on."""
    source = inputs[0]
    if source is None:
        raise PictureError(f"{step['node']}: nothing to reformat")
    form = _target(step, source.format)
    scale = _scale(step, source.format, form)
    shift = (0.0, 0.0)
    if step["center"]:
        shift = (form.width - source.format.width * scale[0]) / 2, (form.height - source.format.height * scale[1]) / 2
    made = transformed(source, form, scale, shift)
    if step["pbb"]:
        return made
    box = made.box.common(form.box)
    return Picture(form, box, made.channels, lambda name: made.plane(name, box), made.padded and box == made.box)


def _target(step: dict[str, Any], form: Format) -> Format:
    if step["type"] == "scale":
        return Format(
            max(1, round(form.width * step["scale"][0])), max(1, round(form.height * step["scale"][1])), form.aspect
        )
    return Format.of(step["format"])


def _scale(step: dict[str, Any], old: Format, new: Format) -> tuple[float, float]:
    """Horizontal and vertical factor. The horizontal one carries the change of pixel aspect."""
    aspect = old.aspect / new.aspect
    across, up = new.width / old.width, new.height / old.height
    wide, tall = (across, across / aspect), (up * aspect, up)
    rules = {
        "none": (1.0, 1.0),
        "width": wide,
        "height": tall,
        "fit": min(wide, tall),
        "fill": max(wide, tall),
        "distort": (across, up),
    }
    if step["type"] == "scale":
        return across, up
    if step["resize"] not in rules:
        raise PictureError(f"{step['node']}: resize {step['resize']!r} is not one of {', '.join(rules)}")
    return rules[step["resize"]]
