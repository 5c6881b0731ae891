"""Makes the commonest mistakes for real and writes what is said of each into docs/troubleshooting.md.

python bench/mistakes_page.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import mistakes
from mistakes import Mistake
from videomama_client import launch
from videomama_server import cli

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN, END = "<!-- made by bench/mistakes_page.py -->", "<!-- end -->"
_LONG_WORD = re.compile(r"\w{100,}")
_LONGEST = 400  # characters of a hint: some list all that there is


def page() -> str:
    """Return the page with the tables that the mistakes give now; what is written around them stays."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END)[1]}"


def tables() -> str:
    """Return a table for each kind of mistake."""
    with tempfile.TemporaryDirectory(prefix="mistakes-") as name, _environment({}):
        folder = Path(name).resolve()
        connection = folder / "connection.json"
        with launch.connect(connection, flags=["--cache-dir", str(folder / "cache")]) as client:
            try:
                made = [_table(title, rows, folder) for title, rows in mistakes.CHAPTERS.items()]
            finally:
                client.stop_server()
    return "".join(made)


def _table(title: str, rows: tuple[Mistake, ...], folder: Path) -> str:
    head = f"\n### {title}\n\n| mistake | command | what it says |\n|---|---|---|\n"
    return head + "".join(_row(mistake, said(mistake, folder)) for mistake in rows)


def _row(mistake: Mistake, answer: str) -> str:
    words = [f"{name}={value}" for name, value in mistake.environment.items()] + ["videomama", *mistake.words]
    command = " ".join(f"{word[:40]}..." if len(word) > 60 else word for word in words)
    return f"| {mistake.what} | `{command}` | {answer} |\n"


def said(mistake: Mistake, folder: Path) -> str:
    """Make a mistake in a shot of its own and return what is said, in Markdown on one line; paths begin with SHOT."""
    shot = Path(tempfile.mkdtemp(dir=folder)) / "SHOT"
    mistakes.make_shot(shot)
    mistake.prepare(shot)
    places = {"SHOT": str(shot), "SERVER": str(folder / "connection.json")}
    with _environment({name: _at(value, places) for name, value in mistake.environment.items()}):
        answer = run([_at(word, places) for word in (*mistake.words, *mistake.defaults)])
    for name, place in places.items():
        answer = answer.replace(place, name)
    return _escaped(answer)


def run(words: list[str]) -> str:
    """Run a command with `--json` in this process and return what it says to a person: an error, or its warnings."""
    words = [*words, "--json"] if words[0] != "cache" else [words[0], "--json", *words[1:]]
    out = io.StringIO()
    quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(out)
    with mock.patch.object(sys, "argv", ["videomama", *words]), quiet[0], quiet[1], contextlib.suppress(SystemExit):
        cli.main()
    told = json.loads(out.getvalue())
    if "message" in told:
        return f"**{told['message']}**\n{_shortened(told['hint'] or '')}".strip()
    warnings = "\n".join(f"Warning: {text}" for text in told["warnings"])
    return warnings or "Nothing: the job runs."


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Set variables, and have none of videomama's besides, nor a config file."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
    with mock.patch.dict(os.environ, {**own, "VIDEOMAMA_CONFIG": os.devnull, **changes}, clear=True):
        yield


def _at(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = place + word[len(name) :] if word == name or word.startswith(f"{name}/") else word
    return word


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(',', 1)[0]}, ..."


def _escaped(text: str) -> str:
    text = _LONG_WORD.sub(lambda word: f"{word[0][:40]}...", text)
    for special in ("|", "<", "_"):
        text = text.replace(special, f"\\{special}")
    return text.replace("\n", "<br>")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
