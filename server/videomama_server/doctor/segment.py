"""The networks that find subjects: whether packages and weights of each are there. Who uses none hears nothing."""

from __future__ import annotations

from videomama_client.errors import WeightsError

from videomama_server.config import Config
from videomama_server.doctor.lines import DoctorLine, good, warning
from videomama_server.engines.segment import families, packages
from videomama_server.engines.segment.families import DETECTOR, SAM2, SAM3, SPOKEN

_FOLDERS = {"sam2": SAM2, "sam3": SAM3, "sam2matte": SAM2, "person": DETECTOR}


def examine(config: Config) -> list[DoctorLine]:
    """Return a line for each network that has a folder in the folder of weights; reads no weights."""
    there = (name for name in _FOLDERS if (config.weights / name).is_dir())
    return [_line(name, config) for name in there]


def _line(name: str, config: Config) -> DoctorLine:
    label = f"network {name}"
    try:
        files = families.find(config.weights / name, name, _FOLDERS[name])
        packages.require(name)
    except WeightsError as error:
        return warning(label, f"{error.message[:1].upper()}{error.message[1:]}", error.hint)
    spoken, size = SPOKEN[files.family], files.stored_bytes() / 1e9
    return good(label, f"{spoken[:1].upper()}{spoken[1:]}, {size:.2f} GB, is in {files.path}")
