"""What is said at once of a plate or mask that was named: frames, size, colour space, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import VideoMaMaError, placed
from videomama_client.messages import MASK, PLATE
from videomama_client.wording import counted

from videomama_server.media import color, frames, sequences
from videomama_server.media.channels import mask_channel
from videomama_server.web import patterns
from videomama_server.web.forms import Form
from videomama_server.web.site import Site


@dataclass(frozen=True)
class Clip:
    """What the files of one role are.

    Attributes:
        role: `plate` or `mask`.
        pattern: absolute, as it was named.
        frames: that are there, ascending.
        width, height: of the first picture's display window, pixels.
        facts: short texts for a person.
        warnings: what looks like a mistake.
        out: a proposal for where the alphas go.
    """

    role: str
    pattern: str
    frames: Sequence[int]
    width: int
    height: int
    facts: Sequence[str]
    warnings: Sequence[str]
    out: str = ""


def look(site: Site, form: Form, role: str) -> Clip:
    """Look at the files that a form names for a role.

    Raises:
        BadInput: there are none, or the first cannot be read.
        NotPermitted: they lie outside `roots`.
    """
    view = form.text("s.view")
    pattern = patterns.permitted(site, sequences.with_view(form.text(role), view), role)
    files = patterns.files(site, pattern, role)
    first, path = next(iter(files.items()))
    with placed(role, first, path):
        seen = _plate(path, form) if role == PLATE else _mask(path, form)
    missing = sorted(set(sequences.clip_frames("", files)) - set(files))
    warnings = list(seen.warnings)
    if missing:
        warnings.append(f"{counted(len(missing), 'frame')} missing: {sequences.format_range(missing)}.")
    if role == MASK and form.text(PLATE):
        warnings += _against_plate(site, form, files, (seen.width, seen.height))
    facts = [f"{counted(len(files), 'frame')}: {sequences.format_range(files)}", f"{seen.width}x{seen.height}"]
    return Clip(
        role, pattern.text, list(files), seen.width, seen.height, [*facts, *seen.facts], warnings, _proposal(pattern)
    )


@dataclass(frozen=True)
class _Seen:
    width: int
    height: int
    facts: Sequence[str]
    warnings: Sequence[str] = ()


def _plate(path: Path, form: Form) -> _Seen:
    seen = frames.probe_plate(path, form.text("s.plate_layer"), form.text("s.view"))
    asked = form.text("s.colorspace") or "auto"
    space = color.resolve(asked, seen.is_float, seen.declared)
    doubt = color.doubt(asked, seen.is_float, seen.declared)
    window = seen.geometry.display
    facts = [f"colour space {space}", "float pixels" if seen.is_float else "whole-number pixels"]
    return _Seen(window.w, window.h, facts, [f"{doubt[:1].upper()}{doubt[1:]}."] if doubt else [])


def _mask(path: Path, form: Form) -> _Seen:
    header = frames.probe(path)
    chosen = mask_channel(header, form.text("s.mask_channel"), form.text("s.view"))
    window = header.part_of([chosen]).geometry.display
    return _Seen(window.w, window.h, [f"channel {chosen.name}"])


def _against_plate(site: Site, form: Form, masks: dict[int, Path], size: tuple[int, int]) -> list[str]:
    """Return what of a mask does not fit the plate; nothing where the plate itself cannot be read."""
    try:
        plate = look(site, form, PLATE)
    except VideoMaMaError:
        return []
    found = []
    lacking = sorted(set(plate.frames) - set(masks))
    if lacking:
        found.append(f"No mask for plate frames {sequences.format_range(lacking)}.")
    if size != (plate.width, plate.height):
        found.append(f"The mask is {size[0]}x{size[1]}, and the plate is {plate.width}x{plate.height}.")
    return found


def _proposal(pattern: sequences.Pattern) -> str:
    digits = "#" * max(pattern.digits, 4)
    return str(pattern.folder / "alpha" / f"alpha.{digits}.exr")
