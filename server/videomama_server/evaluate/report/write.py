"""Writes the three reports of an evaluation into its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from videomama_client.errors import NotPermitted
from videomama_client.whole_files import replacing

from videomama_server.evaluate.plan import Unit
from videomama_server.evaluate.report import markdown, page
from videomama_server.evaluate.summary import Evaluation, to_json

FACTS, TEXT, PAGE = "evaluation.json", "evaluation.md", "evaluation.html"


def write(
    folder: Path, evaluation: Evaluation, units: Sequence[Unit], tell: Callable[[], None] = lambda: None
) -> list[Path]:
    """Write figures, Markdown and page into `folder`, which is there; older ones are replaced.

    Args:
        folder: to write into.
        evaluation: all figures.
        units: that they are of, for the pictures.
        tell: called after every clip.

    Raises:
        BadInput: a picture cannot be read any more.
        NotPermitted: the folder cannot be written.
    """
    contents = {
        FACTS: json.dumps(to_json(evaluation), indent=1) + "\n",
        TEXT: markdown.page(evaluation),
        PAGE: page.page(evaluation, units, tell),
    }
    try:
        for name, content in contents.items():
            with replacing(folder / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
    except OSError as error:
        raise NotPermitted(f"cannot write in {folder}: {error.strerror}", "Choose another folder.") from error
    return [folder / name for name in contents]
