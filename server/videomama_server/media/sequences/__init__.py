"""Numbered files on disk: patterns, frame ranges, and which file holds which frame."""

from videomama_server.media.sequences.advice import refuse_stray_frames
from videomama_server.media.sequences.files import find, in_folder
from videomama_server.media.sequences.listing import listed
from videomama_server.media.sequences.overwriting import refuse_overwriting, refuse_sharing
from videomama_server.media.sequences.pattern import Pattern, parse, with_first, with_view
from videomama_server.media.sequences.ranges import (
    MAX_FRAMES,
    clip_frames,
    consecutive,
    even_step,
    format_range,
    gap_hint,
    parse_range,
    runs,
    spread,
    whole_range,
)

__all__ = [
    "MAX_FRAMES",
    "Pattern",
    "clip_frames",
    "consecutive",
    "even_step",
    "find",
    "format_range",
    "gap_hint",
    "in_folder",
    "listed",
    "parse",
    "parse_range",
    "refuse_overwriting",
    "refuse_sharing",
    "refuse_stray_frames",
    "runs",
    "spread",
    "whole_range",
    "with_first",
    "with_view",
]
