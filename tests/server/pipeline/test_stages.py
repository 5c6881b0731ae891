import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, OutOfMemory
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import MOST_STAGES, Stage
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.sam2matte import Sam2Matte
from videomama_server.pipeline.stages import chosen, within

PLAIN = MatteSettings(engine="passthrough")


@pytest.fixture
def choose(tmp_path):
    """Return the stages of a job of these settings and further stages."""
    config = EngineConfig(tmp_path / "weights", tmp_path / "folded")
    return lambda settings, *then, has_mask=True: chosen(settings, then, lambda _: config, has_mask)


@pytest.fixture
def play(monkeypatch):
    """Let engines play other parts: `play(passthrough="maker")`."""
    real = engines.role
    parts = {}
    monkeypatch.setattr(engines, "role", lambda name: parts.get(name) or real(name))
    return lambda **given: parts.update(given)


def test_every_stage_has_an_engine_settings_and_a_name(choose):
    first, second = choose(MatteSettings(engine="auto", exposure=2.0), Stage("passthrough", window=3))
    assert (first.name, first.label) == ("classic", "stage 1, classic")
    assert (second.name, second.label) == ("passthrough", "stage 2, passthrough")
    assert (second.settings.exposure, second.settings.window, first.settings.window) == (2.0, 3, None)
    (only,) = choose(PLAIN)
    assert (only.name, only.label, only.settings) == ("passthrough", "", PLAIN)


def test_options_at_their_defaults_are_left_out_in_every_stage(choose, installed):
    installed()
    _, own = choose(PLAIN, Stage("own", (EngineOption("strength", 0.5),)))
    assert own.settings.engine_options == ()
    _, own = choose(PLAIN, Stage("own", (EngineOption("strength", 0.25),)))
    assert own.settings.engine_options == (EngineOption("strength", 0.25),)


@pytest.mark.parametrize(
    ("settings", "then", "said"),
    [
        (PLAIN, [Stage("nobody")], "stage 2, nobody: unknown engine 'nobody'"),
        (MatteSettings(engine="nobody"), [Stage("passthrough")], "stage 1, nobody: unknown engine"),
        (MatteSettings(engine="nobody"), [], "unknown engine 'nobody'"),
        (PLAIN, [Stage("classic", (EngineOption("strength", 1.0),))], "stage 2, classic: .* no option 'strength'"),
        (PLAIN, [Stage("passthrough"), Stage("classic", window=0)], "stage 3, classic: --window 0 is out of range"),
        (PLAIN, [Stage("passthrough")] * MOST_STAGES, f"the job has {MOST_STAGES + 1} stages"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_by_a_sentence(choose, settings, then, said):
    with pytest.raises(BadInput, match=f"^{said}") as refused:
        choose(settings, *then)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("refiner", "maker", "stage 2, classic: a mask maker cannot come after passthrough, which is an edge refiner"),
        ("adjustment", "matting", "a matting engine cannot come after passthrough, which is an adjustment"),
        ("matting", "maker", "a mask maker cannot come after passthrough, which is a matting engine"),
    ],
)
def test_roles_that_go_backwards_are_refused(choose, play, before, after, said):
    play(passthrough=before, classic=after)
    with pytest.raises(BadInput, match=said) as refused:
        choose(PLAIN, Stage("classic"))
    assert "maker, matting, refiner, adjustment" in refused.value.hint


@pytest.mark.parametrize(("before", "after"), [("maker", "maker"), ("maker", "adjustment"), ("matting", "refiner")])
def test_roles_may_follow_each_other_and_themselves(choose, play, before, after):
    play(passthrough=before, classic=after)
    assert len(choose(PLAIN, Stage("classic"))) == 2


def test_a_job_without_a_mask_begins_with_an_engine_that_makes_one(choose, play):
    with pytest.raises(BadInput, match="no mask") as refused:
        choose(PLAIN, has_mask=False)
    assert refused.value.hint
    play(passthrough="maker")
    assert len(choose(PLAIN, has_mask=False)) == 1


def test_engines_that_do_not_say_are_for_matting():
    assert {engines.role(name) for name in ("videomama", "classic", "passthrough")} == {"matting"}


def test_an_error_keeps_its_kind_and_place_and_gets_the_name_of_its_stage():
    with pytest.raises(OutOfMemory) as caught, within("stage 2, classic"):
        raise OutOfMemory("too large", "Less.", role="plate", frame=7, file="/a")
    error = caught.value
    assert (error.message, error.hint) == ("stage 2, classic: too large", "Less.")
    assert (error.role, error.frame, error.file) == ("plate", 7, "/a")


def test_the_only_stage_is_not_named():
    error = BadInput("it is damaged", "Check it.")
    with pytest.raises(BadInput) as caught, within(""):
        raise error
    assert caught.value is error


def test_auto_may_walk_only_in_the_first_stage_of_a_job_with_masks_and_without_prompts(tmp_path, monkeypatch):
    monkeypatch.setattr(Sam2Matte, "runs_well", lambda config: True)
    config = EngineConfig(tmp_path / "weights", tmp_path / "folded")
    auto, slack = MatteSettings(engine="auto"), MatteSettings.of(engine="auto", mask_slack=3.0)
    assert [one.name for one in chosen(auto, [], lambda _: config, True)] == ["sam2matte"]
    assert [one.name for one in chosen(auto, [Stage("auto")], lambda _: config, True)] == ["sam2matte", "classic"]
    held = MatteSettings(engine="held")
    told = [Prompt("mask", 1, file="/key.exr")]
    assert [one.name for one in chosen(held, [Stage("auto")], lambda _: config, False, told)] == ["held", "classic"]
    (only,) = chosen(slack, [], lambda _: config, True)
    assert "--mask-slack has no effect, as auto took the engine sam2matte here" in only.notes[0]
