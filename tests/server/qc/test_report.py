"""A clip in files from one end to the other: what is flagged, what is not judged, and the files that are written."""

import json

import numpy as np
import pytest
from videomama_client.errors import InternalError, NotPermitted
from videomama_server.media import frames
from videomama_server.qc.files import refined_clip
from videomama_server.qc.plot import plot
from videomama_server.qc.report import check, make_folder, write


def test_when_no_frame_can_be_measured_that_is_an_error_that_names_one(clip, written, fail_on):
    fail_on("gauge", *range(1001, 1100))
    with pytest.raises(InternalError, match="no frame can be judged; frame 1001: ValueError: shapes"):
        check(refined_clip(written(clip)))


def on_twos(clip):
    """Take every second frame away."""
    for number in clip.numbers[1::2]:
        for role in (clip.plate, clip.mask, clip.alpha):
            del role[number]
    return clip


def test_flags_on_twos_name_frames(clip, written):
    clip.alpha[1009][:] = 0
    (flag,) = check(refined_clip(written(on_twos(clip)))).flags
    assert (flag.kind, flag.frame_numbers, flag.worst) == ("alpha dropped", [1009], 1009)


def test_a_frame_that_is_not_judged_is_named_with_its_reason(clip, written, fail_on):
    fail_on("glimpse", 1004)
    report = check(refined_clip(written(clip)))
    assert report.not_judged == {1004: "ValueError: shapes"}
    assert report.as_dict()["not_judged"] == [1004]
    assert report.as_dict()["frames"] == 15


def test_what_is_written_is_the_report_and_two_pictures(clip, written, tmp_path):
    clip.alpha[1005][:] = 0
    whole = refined_clip(written(clip))
    report = check(whole)
    files = write(tmp_path / "new" / "qc", whole, report)
    assert [path.name for path in files] == ["qc_sheet.png", "qc_plot.png", "qc.json"]
    facts = json.loads(files[2].read_text())
    assert facts == json.loads(json.dumps(report.as_dict()))
    assert (facts["frames"], facts["flags"][0]["frames"], len(facts["scores"])) == (16, [1005], 16)
    shown, drawn = (frames.read_plate(path).pixels for path in files[:2])
    assert shown.std() > 0.1
    assert np.allclose(drawn * 255, plot(report.scores, report.flags), atol=0.5)
    assert sorted(path.name for path in (tmp_path / "new" / "qc").iterdir()) == sorted(path.name for path in files)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted, match="cannot make"):
        make_folder(tmp_path / "file" / "qc")
    make_folder(tmp_path)
