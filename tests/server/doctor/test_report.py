"""The report as a whole: what is decided from several parts together."""

from dataclasses import replace

import pytest
from videomama_client.errors import BadInput
from videomama_client.server_config import Difference, Setting
from videomama_server.config import Config
from videomama_server.doctor import report
from videomama_server.doctor.graphics import Card, Graphics, Torch
from videomama_server.doctor.lines import good
from videomama_server.running import Settled


@pytest.mark.parametrize(
    ("device", "computes", "there", "said"),
    [
        ("auto", True, True, "the model"),
        ("auto", True, False, "no weights"),
        ("auto", False, True, "no GPU"),
        ("cpu", True, True, "no GPU"),
    ],
)
def test_what_auto_stands_for(tiny_checkpoint, tmp_path, device, computes, there, said):
    config = replace(Config(), device=device, weights=tiny_checkpoint if there else tmp_path)
    assert said in report._automatic(config, computes).what


@pytest.fixture
def parts(monkeypatch):
    """Stand in for every part of the report, each with a line of its own; what they were asked is kept."""
    asked = {}

    def part(name, many=True):
        def look(*words):
            asked[name] = words
            return [good(name, "seen")] if many else good(name, "seen")

        return look

    for module, name in (
        (report.machine, "python"),
        (report.machine, "engine"),
        (report.machine, "ports"),
        (report.machine, "clock"),
    ):
        monkeypatch.setattr(module, name, part(name, many=False))
    for name in ("plugins", "serving", "storage", "nukes", "weights"):
        monkeypatch.setattr(getattr(report, name), "examine", part(name))
    monkeypatch.setattr(report.serving, "listens", lambda path: f"listens at {path.name}")
    seen = Graphics(torch=Torch("2.9", "CUDA 12.8", (Card("L4", 1, 2),)))
    monkeypatch.setattr(Graphics, "lines", lambda _: [good("graphics", "seen")])
    monkeypatch.setattr(report.graphics, "examine", lambda: seen)
    return asked


def test_all_parts_are_in_the_report_in_their_order_about_the_config_that_holds(parts, monkeypatch, tmp_path):
    own = replace(Config(), connection_file=tmp_path / "c.json", device="cpu")
    monkeypatch.setattr(
        report.running, "settle", lambda flags: Settled(own) if flags == {"connection_file": None} else None
    )
    lines = report.examine()
    assert [line.name for line in lines] == [
        "config", "python", "engine", "plugins", "graphics", "weights", "engine auto",
        "serving", "ports", "clock", "storage", "nukes",
    ]  # fmt: skip
    assert (lines[0].state, lines[0].what) == ("ok", "It can be read")
    assert parts["weights"] == (own, True, True)
    assert parts["serving"] == (own.connection_file,)
    assert parts["ports"] == (own, "listens at c.json")
    assert (parts["clock"], parts["storage"]) == ((own.cache_dir,), (own,))


def test_a_config_that_cannot_be_read_is_a_problem_and_the_rest_is_told_all_the_same(parts, monkeypatch, tmp_path):
    def broken(flags):
        raise BadInput("cannot read config.toml", "Fix it.")

    monkeypatch.setattr(report.running, "settle", broken)
    first, *rest = report.examine(tmp_path / "named.json")
    assert (first.name, first.state, first.what, first.fix) == (
        "config",
        "problem",
        "cannot read config.toml",
        "Fix it.",
    )
    assert len(rest) == 11
    assert parts["serving"] == (tmp_path / "named.json",)
    assert report.examine()[0].state == "problem"
    assert parts["serving"] == (Config().connection_file,)


def test_a_part_that_may_not_look_is_one_line_and_the_others_are_told(parts, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(report.running, "settle", lambda flags: Settled(Config()))
    monkeypatch.setattr(report.storage, "examine", refused)
    lines = {line.name: line for line in report.examine()}
    assert lines["doctor"].what == "Not all could be looked at: [Errno 13] Permission denied"
    assert lines["doctor"].state == "warning"
    assert lines["nukes"].state == "ok"


def test_a_config_that_differs_from_the_servers_is_a_warning_for_each_key():
    differing = [
        Difference("threads", "2", Setting("3", "$VIDEOMAMA_THREADS")),
        Difference("port", "0", Setting("7", "a file")),
    ]
    lines = report._config(Settled(Config(), differing))
    assert [(line.name, line.state, line.what) for line in lines] == [
        ("config", "warning", str(known)) for known in differing
    ]
