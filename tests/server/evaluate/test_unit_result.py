"""Records on disk: which ones hold, and which do not."""

import json
import os

import pytest
from videomama_server.evaluate import unit_result
from videomama_server.evaluate.unit_result import UnitResult, fingerprint

MADE = UnitResult("print", "classic", (96, 64), [1, 2], {"mad": [1.0, None]}, 0.25, ["a warning"])


def test_a_record_reads_back(tmp_path):
    MADE.save(tmp_path)
    assert unit_result.load(tmp_path, "print", []) == MADE
    assert [path.name for path in tmp_path.iterdir()] == [unit_result.RESULT]


def test_one_of_something_else_is_none(tmp_path):
    MADE.save(tmp_path)
    assert unit_result.load(tmp_path, "other", []) is None


def test_one_whose_pictures_are_gone_is_none(tmp_path):
    MADE.save(tmp_path)
    assert unit_result.load(tmp_path, "print", [tmp_path / unit_result.RESULT]) == MADE
    assert unit_result.load(tmp_path, "print", [tmp_path / "alpha.0001.exr"]) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"size": [1, 2]}', '{"size": 3}'])
def test_a_damaged_one_is_none(tmp_path, text):
    (tmp_path / unit_result.RESULT).write_text(text)
    assert unit_result.load(tmp_path, "print", []) is None


def test_none_is_none(tmp_path):
    assert unit_result.load(tmp_path, "print", []) is None
    unit_result.forget(tmp_path)


def test_a_forgotten_one_is_none(tmp_path):
    MADE.save(tmp_path)
    unit_result.forget(tmp_path)
    assert unit_result.load(tmp_path, "print", []) is None


def test_fingerprints_follow_files_and_values(tmp_path):
    file = tmp_path / "a"
    file.write_text("one")
    os.utime(file, ns=(1, 1))

    def of(**decides):
        return fingerprint(({1: file}, None), **{"engine": "classic", **decides})

    before = of()
    assert of() == before
    assert of(engine="other") != before
    os.utime(file, ns=(2, 2))
    assert of() != before
    os.utime(file, ns=(1, 1))
    assert of() == before
    file.write_text("four")
    os.utime(file, ns=(1, 1))
    assert of() != before


def test_a_record_is_plain_json(tmp_path):
    MADE.save(tmp_path)
    assert json.loads((tmp_path / unit_result.RESULT).read_text())["scores"] == {"mad": [1.0, None]}
