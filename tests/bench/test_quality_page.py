import json


def test_the_page_says_what_was_recorded(load_bench):
    module = load_bench("quality_page")
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run python bench/quality_page.py"


def test_an_evaluation_is_recorded_without_its_frames(load_bench, tmp_path, monkeypatch):
    module = load_bench("quality_page")
    evaluation = json.loads(module.RESULT.read_text(encoding="utf-8"))["evaluation"]
    frames = {"clip": "a", "masks": "given", "engine": "mask", "frames": [1], "scores": {"mad": [1.0]}}
    (tmp_path / "evaluation.json").write_text(json.dumps({**evaluation, "frames": [frames]}))
    monkeypatch.setattr(module, "RESULT", tmp_path / "result.json")
    module.take_in(tmp_path / "evaluation.json", "a machine", "a note")
    record = json.loads((tmp_path / "result.json").read_text())
    assert record == {"machine": "a machine", "note": "a note", "evaluation": {**evaluation, "frames": []}}
    assert "a machine. a note" in module.page()
