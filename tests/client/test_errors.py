import pytest
from videomama_client import errors, wire
from videomama_client.errors import (
    BadInput,
    InternalError,
    NotPermitted,
    VideoMaMaError,
    kind_of,
    option_called,
    placed,
)
from videomama_client.messages import KINDS as KINDS_ON_THE_WIRE
from videomama_client.messages import MatteFailed, RequestRefused

KINDS = VideoMaMaError.__subclasses__()


def test_there_are_eight_kinds_with_codes_of_their_own():
    own = [kind for kind in KINDS if kind.__module__ == errors.__name__]
    assert len(own) == 8
    assert len({kind.code for kind in own}) == 8


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__module__ == errors.__name__])
def test_kind_survives_the_wire(kind):
    error = kind("mask frame 7 is broken", "Render it again.", role="mask", frame=7, file="/mask.0007.exr")
    for told in (MatteFailed.by("job", error), RequestRefused.by("request", error)):
        rebuilt = wire.decode(wire.encode(told), KINDS_ON_THE_WIRE).error
        assert type(rebuilt) is kind
        assert vars(rebuilt) == vars(error)


def test_a_code_of_a_later_version_is_an_internal_error():
    assert kind_of("gremlins") is InternalError


def test_text_is_message_then_hint():
    assert str(VideoMaMaError("broken", "Mend it.")) == "broken\nMend it."
    assert str(VideoMaMaError("broken")) == "broken"


def test_an_error_that_names_something_endless_still_fits_on_the_wire():
    error = VideoMaMaError("\N{GRINNING FACE}" * 100_000, "x" * 100_000)
    assert len(error.message.encode()) < wire.MAX_TEXT_BYTES
    assert len(error.hint.encode()) < wire.MAX_TEXT_BYTES
    assert error.message.endswith("...")
    assert len(VideoMaMaError("m", file="/" + "x" * 100_000).file.encode()) < wire.MAX_TEXT_BYTES


def raised(work, kind):
    with pytest.raises(kind) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"role": "mask", "frame": 7}, "mask frame 7: broken"),
        ({"frame": 0}, "frame 0: broken"),
        ({"frame": -3, "role": "plate"}, "plate frame -3: broken"),
        ({"role": "plate"}, "plate: broken"),
        ({"file": "/x.exr"}, "broken"),
        ({}, "broken"),
    ],
    ids=str,
)
def test_a_place_is_named_once_and_kept_as_fields(place, message):
    def work():
        with placed(**place):
            raise NotPermitted("broken", "Check it.")

    error = raised(work, NotPermitted)
    assert (error.message, error.hint) == (message, "Check it.")
    known = {"role": "", "frame": None, "file": "", **place}
    assert {name: getattr(error, name) for name in known} == known


def test_of_two_places_the_inner_one_is_named_and_the_outer_one_fills_what_it_left_open():
    def work():
        with placed("plate", 9, "/outer.exr"), placed("mask", 7), placed(file="/inner.exr"):
            raise BadInput("broken")

    error = raised(work, BadInput)
    assert (error.message, error.role, error.frame, error.file) == ("mask frame 7: broken", "mask", 7, "/inner.exr")


def test_what_is_no_error_of_ours_passes_a_place_untouched():
    def work():
        with placed("mask", 7):
            raise KeyError("x")

    assert type(raised(work, KeyError)) is KeyError


def test_a_hint_names_an_option_as_the_running_command_calls_it():
    with pytest.raises(BadInput) as caught, option_called("--mask-channel", "--alpha-channel"):
        raise BadInput("no channel 'A'", "Choose one with --mask-channel.")
    assert (caught.value.message, caught.value.hint) == ("no channel 'A'", "Choose one with --alpha-channel.")
    with pytest.raises(ZeroDivisionError), option_called("--mask-channel", "--alpha-channel"):
        raise ZeroDivisionError


def test_a_place_and_a_part_of_the_work_leave_the_object_and_the_rest_of_an_error():
    error = BadInput("too dark", "Use another.", role="mask", frame=7, file="/a.exr").of_object("hero")
    for named, message in (
        (error.at("plate", 8, "/b.exr"), "too dark"),
        (error.within("stage 2"), "stage 2: too dark"),
    ):
        assert type(named) is BadInput
        assert (str(named.message), named.hint, named.object) == (message, "Use another.", "hero")
        assert (named.role, named.frame, named.file) == ("mask", 7, "/a.exr")


@pytest.mark.parametrize(("name", "known"), [("", "hero"), ("dog", "dog")])
def test_a_part_of_the_work_names_its_object_where_it_has_one(name, known):
    with pytest.raises(BadInput, match="stage 2: too dark") as caught, errors.naming("stage 2", name):
        raise BadInput("too dark", "Use another.").of_object("hero")
    assert caught.value.object == known
