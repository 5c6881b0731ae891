import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.messages import MatteDone
from videomama_client.prompts import BOX, POINT, Prompt
from videomama_client.settings import MatteSettings
from videomama_server.cli import masks, matte, matte_job, person
from videomama_server.cli.person_option import AskedPerson, maker_words, take_person
from videomama_server.cli.usage import WrongUse
from videomama_server.engines.segment.people import FoundBox, FoundPerson
from videomama_server.media import frames
from videomama_server.submission import Submission


class Standing:
    """A detector that finds what is bright."""

    method = "standing (test)"

    def boxes(self, plate, least_score):
        down, across = np.nonzero(plate.mean(-1) > 0.4)
        return [FoundBox(float(across.min()), float(down.min()), across.max() + 1.0, down.max() + 1.0, 0.9)]


@pytest.fixture
def asked(tmp_path, videomama, monkeypatch):
    """Run a command over five frames, the first two black; `asked.orders` are the jobs that it submits."""
    for frame in range(1001, 1006):
        plate = np.zeros((48, 64, 3), np.float32)
        if frame > 1002:
            plate[:] = 0.05
            plate[10:40, 20:44] = 0.9
        frames.write_picture(tmp_path / f"plate.{frame}.exr", plate, ("R", "G", "B"), "half")
    (tmp_path / "mask.1003.exr").touch()

    @contextmanager
    def connect(path, start):
        yield None

    def follow(client, order):
        run.orders.append(order)
        return MatteDone("j", 5, 5, 0, 0.5, order.settings.engine, [0, 0, 64, 48])

    for module in (masks, matte):
        monkeypatch.setattr(module.launch, "connect", connect)
    for module in (masks, matte_job):
        monkeypatch.setattr(module, "follow", follow)
    monkeypatch.setattr(person, "_detector", lambda config: Standing())

    def run(command, *words):
        named = ["--plate", str(tmp_path / "plate.####.exr"), "--out", str(tmp_path / "out.####.exr")]
        return videomama(command, *named, *words)

    run.orders = []
    return run


THERE = Prompt(BOX, 1003, (20.0, 10.0, 24.0, 30.0))
ABSENT = EngineOption("absent", "1001-1002")


def test_masks_of_a_person_come_from_a_box_and_leave_the_black_opening_out(asked, tmp_path):
    said = asked("masks", "--person", "--person-picture", tmp_path / "who.png")
    assert said.code == 0, said.err
    (order,) = asked.orders
    assert order.prompts == (THERE,)
    assert (order.settings.engine, order.settings.engine_options) == ("sam2", (ABSENT,))
    assert "a person on frame 1003" in said.err
    picture = frames.read_plate(tmp_path / "who.png").pixels
    np.testing.assert_allclose(picture[10, 20:44], np.tile(np.float32([0.1, 0.9, 0.2]), (24, 1)), atol=0.003)
    assert picture[25, 32].min() > 0.9  # the plate, inside of the box


def test_an_alpha_of_a_person_begins_with_the_maker(asked):
    said = asked("matte", "--person", "--maker-set", "reanchor=yes", "--engine", "classic", "--json")
    assert said.code == 0, said.err
    (order,) = asked.orders
    assert order.prompts == (THERE,)
    assert order.settings.engine_options == (ABSENT, EngineOption("reanchor", True))
    assert [stage.engine for stage in order.then] == ["classic"]
    found = json.loads(said.out)["person"]
    assert (found["method"], found["frame"], found["coverage"]) == ("standing (test)", 1003, 1.0)
    assert (found["requested_start"], found["effective_start"]) == (1001, 1003)


def test_the_maker_and_its_absent_frames_are_those_that_were_named(asked):
    said = asked("matte", "--person", "--maker", "sam3", "--maker-set", "absent=1005", "--engine", "classic")
    assert said.code == 0, said.err
    assert asked.orders[0].settings.engine == "sam3"
    assert asked.orders[0].settings.engine_options == (EngineOption("absent", "1005"),)


def test_only_the_wanted_frames_are_searched_and_prompts_of_an_object_stay_together(asked):
    words = ["--object", "anna", "--click", "1004:30,20", "--frames", "1004-1005"]
    assert asked("masks", "--person", *words).code == 0
    assert asked.orders[0].prompts == (
        Prompt(POINT, 1004, (30.0, 20.0), object="anna"),
        Prompt(BOX, 1004, THERE.place, object="anna"),
    )
    assert asked.orders[0].settings.engine_options == ()


def test_a_preview_is_of_spread_frames_and_the_whole_clip_is_searched(asked):
    assert asked("masks", "--person", "--preview", "3").code == 0
    assert asked.orders[0].frame_ranges == "1001,1003,1005"
    assert asked.orders[0].prompts == (THERE,)


def test_an_engine_without_the_setting_is_not_given_it():
    found = person.Search(FoundPerson(3, FoundBox(0, 0, 9, 9, 0.9), {}, 1.0), "test", 1, 3, (1, 2))
    assert maker_words("sam2", (), found) == ("absent=1-2",)
    assert maker_words("held", (), found) == ()
    assert maker_words("sam2", ("reanchor=yes",), None) == ("reanchor=yes",)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["masks", "--maker", "sam2", "--person-picture", "a.png"], 2, "--person-picture is given without --person"),
        (["masks", "--person", "--person-picture", "a.exr"], 1, "cannot hold uint8"),
        (["masks", "--person", "--frames", "1001-1002"], 1, "all 2 frames are nearly black"),
        (["matte", "--mask", "a.####.exr", "--maker-set", "absent=3"], 2, "--maker-set is given without --maker"),
        (["matte", "--person", "--maker-set", "nothing=3"], 2, "nothing"),
    ],
)
def test_what_cannot_be_is_refused_before_a_job_begins(asked, words, code, said):
    refused = asked(*words)
    assert refused.code == code
    assert said in refused.err
    assert asked.orders == []


def test_without_the_option_a_job_is_as_it_was(make_clip):
    clip = make_clip(count=1)
    order = Submission(plate=clip.plate, mask=clip.mask, out=clip.out, settings=MatteSettings())
    asked = AskedPerson(False, None)
    assert asked.into(order) == (order, None)
    assert (asked.maker(""), asked.maker("own"), AskedPerson(True, None).maker("")) == ("", "own", "sam2")


@pytest.mark.parametrize(("wanted", "picture", "refused"), [(False, "p.png", True), (True, "p.png", False)])
def test_a_picture_is_of_a_person_that_is_searched_for(wanted, picture, refused):
    flags = {"person": wanted, "person_picture": Path(picture), "out": "a"}
    if refused:
        with pytest.raises(WrongUse, match="--person-picture is given without --person"):
            take_person(flags)
    else:
        assert take_person(flags) == AskedPerson(True, Path(picture))
    assert flags == {"out": "a"}
