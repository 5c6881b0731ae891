"""Writes docs/quality.md: the tables of the recorded evaluation, and what was measured by hand beside it.

python bench/quality_page.py
python bench/quality_page.py --from videomama_evaluation/evaluation.json --machine "..." --note "..."

The second takes a new evaluation in first: its tables go to results/evaluation.json, the figures of frames do not.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from videomama_server.evaluate.report import markdown
from videomama_server.evaluate.summary import from_json, read, to_json

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "bench" / "results" / "evaluation.json"
FOOTAGE = ROOT / "bench" / "results" / "footage.md"
PAGE = ROOT / "docs" / "quality.md"
HEAD = """# Quality

This page says how far alphas are from the exact ones, on generated clips and, where there are any, on published data.

- `python bench/quality_page.py` writes the tables from `bench/results/evaluation.json`. [evaluate.md](evaluate.md) says
  how they are made and what they mean. [bench/README.md](../bench/README.md) says how to make them again.
- Generated clips show which engine is better, not what a shot will get. They are painted, and a rule makes their masks
  rough. The engine `classic` was developed with them in sight.
- The engine `videomama` is in no table: nobody has run it here with its published weights.
"""


def page() -> str:
    """Return the page for the evaluation that is recorded."""
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    evaluation = from_json(record["evaluation"])
    facts = f"{markdown.facts(evaluation)}\n{record['machine']}. {record['note']}".rstrip()
    footage = FOOTAGE.read_text(encoding="utf-8")
    return f"{HEAD}\n{facts}\n\n{footage}\n{markdown.body(evaluation)}"


def take_in(source: Path, machine: str, note: str) -> None:
    """Record the tables of an evaluation."""
    excerpt = to_json(read(source).excerpt())
    text = json.dumps({"machine": machine, "note": note, "evaluation": excerpt}, indent=1)
    RESULT.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/quality.md from a recorded evaluation.")
    parser.add_argument("--from", dest="source", type=Path, help="evaluation.json to record first")
    parser.add_argument("--machine", default="", help="what it was run on, for people")
    parser.add_argument("--note", default="", help="the commands it was made with, and what else is worth knowing")
    args = parser.parse_args()
    if args.source and not (args.machine and args.note):
        parser.error("say what it was run on and how: --machine and --note")
    if args.source:
        take_in(args.source, args.machine, args.note)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
