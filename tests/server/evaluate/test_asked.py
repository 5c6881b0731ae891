"""What the words on the command line mean."""

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server.config import Config
from videomama_server.evaluate.asked import ALWAYS, AskedEngine, MeasureChoice, parse_engine, parse_masks, without_twins


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("classic", MatteSettings(engine="classic")),
        ("classic:fast", MatteSettings.of(engine="classic", quality="fast")),
        ("classic:trimap_dilate=20", MatteSettings.of(engine="classic", trimap_dilate=20.0)),
        ("classic:mask_quality=good,mask_slack=auto", MatteSettings.of(engine="classic", mask_quality="good")),
        (
            "classic:fast,window=5,exposure=1",
            MatteSettings.of(engine="classic", quality="fast", window=5, exposure=1.0),
        ),
        ("classic:quality=high", MatteSettings(engine="classic")),
        ("auto:soft_mask=yes,mask_slack=3", MatteSettings.of(engine="auto", soft_mask=True, mask_slack=3.0)),
        ("passthrough:mask_grow=-2.5", MatteSettings("passthrough", mask_grow=-2.5)),
    ],
)
def test_engines(text, settings):
    asked = parse_engine(text, Config())
    assert (asked.name, asked.settings) == (text, settings)
    assert asked.signature.startswith("classic" if settings.engine == "auto" else settings.engine)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("magic", "magic"),
        ("classic:medium", "medium"),
        ("classic:colour=1", "colour"),
        ("classic:engine=passthrough", "engine"),
        ("classic:window=two", "two"),
        ("auto:soft_mask=perhaps", "perhaps"),
        ("classic:soft_mask=yes", "--soft-mask is a setting of videomama"),
        ("auto:weights=/w", "weights"),
        ("classic:weights=/w", "weights"),
        ("classic:trimap_dilate=9000", "9000"),
        ("auto:canvas=wide", "wide"),
    ],
)
def test_engines_that_make_no_sense(text, named, raises_with_hint):
    with raises_with_hint(BadInput, named):
        parse_engine(text, Config())


def test_options_of_an_engines_own_are_settings_too(installed, raises_with_hint):
    installed()
    asked = parse_engine("own:strength=0.25,mask_grow=1", Config())
    assert asked.settings == MatteSettings("own", mask_grow=1.0, engine_options=(EngineOption("strength", 0.25),))
    for text, named in (("own:strength=9", "9"), ("own:strength=much", "much"), ("classic:strength=1", "strength")):
        with raises_with_hint(BadInput, text, named):
            parse_engine(text, Config())


def test_an_engine_without_its_weights_is_told_before_any_work(tmp_path):
    with pytest.raises(WeightsError):
        parse_engine("videomama", Config(weights=tmp_path))


def test_weights_of_its_own_make_an_engine_of_its_own(own_checkpoint, tmp_path, monkeypatch):
    """So trainings are compared: each result is an engine."""
    monkeypatch.chdir(own_checkpoint.parent)
    nowhere = Config(weights=tmp_path / "none")
    asked = parse_engine(f"videomama:weights={own_checkpoint.name}", nowhere)
    assert asked.settings.option("weights") == str(own_checkpoint)
    assert asked.signature == parse_engine("videomama", Config(weights=own_checkpoint)).signature
    with pytest.raises(WeightsError):
        parse_engine("videomama:weights=elsewhere", nowhere)


def test_engines_with_paths_that_look_alike_have_folders_of_their_own():
    own, names = frozenset({"weights"}), ("x:weights=a/b", "x:weights=a-b", "x:weights=" + "a/" * 500)
    slugs = {AskedEngine(name, MatteSettings(), "", own).slug for name in names}
    assert len(slugs) == 3
    assert max(map(len, slugs)) < 100


def test_the_signature_of_the_model_follows_its_weights(own_checkpoint):
    def signature():
        return parse_engine("videomama", Config(weights=own_checkpoint)).signature

    before = signature()
    assert signature() == before
    file = next(own_checkpoint.rglob("unet/*.safetensors"))
    file.write_bytes(file.read_bytes())
    assert signature() != before


def test_engines_have_folder_names_that_any_system_takes():
    assert parse_engine("classic:fast,window=5", Config()).slug == "classic-fast,window-5"


def test_masks():
    assert parse_masks("given").degradation is None
    assert parse_masks("down16+missing", 4).degradation.seed == 4
    with pytest.raises(BadInput):
        parse_masks("nonsense")


def test_masks_of_an_engine_say_what_guides_and_why_they_cannot_be_made(tmp_path):
    held = parse_masks("held+first")
    assert (held.degradation, held.maker.name, held.maker.missing, held.guidance) == (None, "held", None, "first")
    assert held.maker.signature
    sam2 = parse_masks("sam2", config=Config(weights=tmp_path))
    assert (sam2.maker.name, sam2.maker.signature, sam2.guidance) == ("sam2", "", "")
    assert "SAM 2" in sam2.maker.missing.message
    for text in ("held+missing", "classic+first", "first"):
        with pytest.raises(BadInput):
            parse_masks(text)


@pytest.mark.parametrize(
    ("engine", "own", "guidance", "expected"),
    [
        ("sam2matte", (), "every", "every"),
        ("sam2matte", (), "", None),
        ("sam2matte", ("guidance",), "every", None),
        ("classic", (), "every", None),
    ],
)
def test_guidance_is_set_where_the_engine_has_a_choice_and_the_person_made_none(engine, own, guidance, expected):
    asked = AskedEngine(engine, MatteSettings(engine=engine), "", frozenset(own))
    assert asked.guided(guidance).settings.option("guidance") == expected


def test_what_a_person_sets_of_an_engine_is_known():
    assert parse_engine("classic:fast,mask_slack=2", Config()).own == {"quality", "mask_slack"}


def test_only_some_measures_may_be_taken_and_earlier_results_stay_valid_without():
    chosen = MeasureChoice(only=("mad", "conn"), shape=True)
    assert (chosen.of(100, True), chosen.of(4096 * 2160, True)) == (("mad", "conn"), ("mad",))
    assert MeasureChoice(shape=True).decides == {"conn": None, "shape": True, "foreground": False}
    assert chosen.decides["only"] == ("mad", "conn")


def test_what_is_named_twice_is_done_once():
    assert [one.name for one in without_twins([parse_masks(name) for name in ("box", "given", "box")])] == [
        "box", "given",
    ]  # fmt: skip


def test_measures():
    large = 4096 * 2160
    assert MeasureChoice().of(1920 * 1080, True) == ALWAYS
    assert "conn" not in MeasureChoice().of(large, True)
    assert "conn" in MeasureChoice(conn=True).of(large, True)
    assert "conn" not in MeasureChoice(conn=False).of(100, True)
    assert MeasureChoice(shape=True, foreground=True).of(100, True)[-4:] == (
        "j",
        "f",
        "foreground_mad",
        "foreground_mse",
    )
    assert "foreground_mad" not in MeasureChoice(foreground=True).of(100, False)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(MeasureChoice) == {"shape": False, "foreground": False, "inner": False}
