"""The script that plants faults and counts what is found."""

import json

import pytest
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import write_clip


@pytest.fixture
def suite(tmp_path):
    spec = ClipSpec("defocus", "city", 480, 270)
    write_clip(tmp_path / spec.name, spec, parse("polygon", 1))
    return tmp_path


@pytest.mark.slow
def test_every_fault_in_a_plain_clip_is_found(load_bench, suite, monkeypatch, capsys):
    module = load_bench("qc")
    monkeypatch.setattr("sys.argv", ["qc.py", str(suite), "--json"])
    module.main()
    found = json.loads(capsys.readouterr().out)
    assert (found["clips"], found["clean_frames"]) == (1, 24)
    assert set(found["false_flags"].values()) == {0}
    assert found["faults"].keys() == module.FAULTS.keys()
    coarse = found["faults"].pop("mask ends two pixels early")  # at this size these are 16 pixels at 1920: the most
    assert coarse["planted"] == 24
    lacking = {name for name, counted in found["faults"].items() if counted["as_such"] < counted["planted"]}
    assert lacking == set()


def test_a_folder_without_clips_is_told(load_bench, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["qc.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="no clips in"):
        load_bench("qc").main()
