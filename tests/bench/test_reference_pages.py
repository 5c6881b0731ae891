"""The pages of docs/reference/ say what the code says."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def made(load_bench):
    return load_bench("reference_pages").pages()


def test_the_pages_are_those_that_the_code_makes_now(made):
    """Run `python bench/reference_pages.py` where this fails."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == made


def test_a_page_has_every_command_and_every_key_of_the_config(made):
    from videomama_server.cli import _COMMANDS
    from videomama_server.config import Config

    assert all(f"\n## videomama {name}\n" in made["commands.md"] for name in _COMMANDS)
    assert "\n### videomama cache prune\n" in made["commands.md"]
    assert all(
        f"| `{name}` | `VIDEOMAMA_{name.upper()}` |" in made["config.md"] for name in Config.__dataclass_fields__
    )


def test_no_table_is_broken_by_what_a_cell_says(made):
    for text in made.values():
        lines = [line for line in text.splitlines() if line.startswith("| ")]
        widths = {line.replace("\\|", "").count("|") for line in lines}
        assert lines
        assert widths <= {4, 5, 6}
        assert not any("<" in line.replace("&lt;", "") for line in lines)


def test_options_of_matte_stand_in_the_groups_of_its_help(made):
    section = made["commands.md"].split("## videomama matte\n")[1].split("\n## ")[0]
    inputs = section.split("**Inputs**")[1].split("**")[0]
    assert "| `--plate` TEXT |" in inputs
    assert "--priority" not in inputs
    assert "| `--trimap-erode` AUTO\\|NUMBER |" in section.split("**Settings of the engine classic**")[1]
