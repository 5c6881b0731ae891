import pytest
from videomama_client.errors import BadInput
from videomama_server.train.ablations import flags, read_plan

PLAN = """
common: {unet: SVD, vae: SVD, steps: 100, alignment: 0}
runs:
  spatial: {data: [real, labelled]}
  both: {stage: temporal, after: spatial, frames: 8, data: labelled, checkpointing: yes}
  matte: {network: sam2matte, sam2: tiny.pt, unet: null, vae: null, alignment: null}
windows: [1, 24]
evaluate: {data: clips, protocol: v-him60-hard}
"""


@pytest.fixture
def plan(tmp_path):
    """`plan(text)`: the plan that a file says, below a folder `out`."""

    def make(text=PLAN):
        (tmp_path / "plan.yaml").write_text(text)
        return read_plan(tmp_path / "plan.yaml", tmp_path / "out")

    return make


def test_a_run_has_what_is_common_and_its_own(plan, tmp_path):
    spatial, both, matte = plan().runs
    begin = ["train", "videomama", "--unet", "SVD", "--vae", "SVD", "--steps", "100", "--alignment", "0"]
    assert spatial.arguments() == [
        *begin, "--data", "real", "--data", "labelled", "--out", str(tmp_path / "out" / "spatial"),
    ]  # fmt: skip
    words = both.arguments()
    assert words[words.index("--unet") + 1] == str(tmp_path / "out" / "spatial" / "result" / "VideoMaMa")
    assert "--checkpointing" in words
    assert "yes" not in words
    assert matte.arguments()[:6] == ["train", "sam2matte", "--steps", "100", "--sam2", "tiny.pt"]


def test_every_window_of_a_result_is_measured_and_sam2matte_has_none(plan, tmp_path):
    asked = plan()
    weights = f"videomama:weights={tmp_path / 'out' / 'spatial' / 'result'}"
    named = {engine: (run.name, window) for engine, (run, window) in asked.engines().items()}
    assert named[f"{weights},window=1"] == ("spatial", "1")
    assert named[f"{weights},window=24"] == ("spatial", "24")
    assert named[f"sam2matte:weights={tmp_path / 'out' / 'matte' / 'result'}"] == ("matte", "")
    assert len(named) == 5
    words = asked.arguments(tmp_path / "scores")
    assert words[:2] == ["evaluate", "clips"]
    assert words.count("--engine") == 5
    assert words[-4:] == ["--protocol", "v-him60-hard", "--out", str(tmp_path / "scores")]


def test_a_run_is_done_when_it_ended_with_the_same_options(plan):
    run = plan().runs[0]
    assert not run.is_done()
    (run.folder / "result").mkdir(parents=True)
    run.note_done()
    assert plan().runs[0].is_done()
    assert not plan(PLAN.replace("steps: 100", "steps: 200")).runs[0].is_done()


def test_a_flag_that_is_off_is_left_out():
    assert flags({"sharded": "no", "save_every": "5"}) == ["--save-every", "5"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("windows:", "window:", r"line 7: unknown key 'window'"),
        ("after: spatial", "after: matte", r"line 5: no videomama training 'matte' stands before both"),
        ("network: sam2matte", "network: matting", r"unknown network 'matting'"),
        ("[1, 24]", "[1, 25]", "windows are lengths of 1 to 24 frames"),
        ("data: clips, ", "", "evaluate needs data"),
        ("  spatial: {", "  spa/tial: {out: x, ", "not a valid name"),
        ("  spatial: {", "  spatial: {out: x, ", "out is not an option here"),
        ("common: {unet: SVD, vae: SVD, steps: 100, alignment: 0}", "common: SVD", "common is not a map"),
    ],
)
def test_what_is_wrong_in_a_plan_is_named(plan, old, new, said):
    with pytest.raises(BadInput, match=said):
        plan(PLAN.replace(old, new))


def test_a_plan_without_trainings_is_refused(plan):
    with pytest.raises(BadInput, match="names no trainings"):
        plan("common: {steps: 1}\n")
