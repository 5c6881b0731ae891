"""What is said of a job's result; tests/server/cli/test_matte.py has it as a person sees it."""

from dataclasses import replace

from videomama_client.messages import MaskTaken, MatteDone, ObjectDone, QcFlag, SideDone, StageDone
from videomama_server.cli import job_result


def done_with(judged, *flags):
    return MatteDone("j", 3, 3, 0, 0.5, "classic", [0, 0, 8, 8], judged=judged, flags=list(flags))


def test_what_quality_control_found_is_said_and_what_it_did_not_look_at(capsys):
    job_result.say_flags(done_with(3))
    job_result.say_flags(done_with(1))
    job_result.say_flags(done_with(0))
    assert capsys.readouterr().out.splitlines() == [
        "QC: nothing flagged on 3 frames",
        "QC: nothing flagged on 1 frame",
        "QC: 2 frames not judged",
        "QC: 3 frames not judged",
    ]


def test_masks_that_drift_are_told_apart_from_what_quality_control_says_of_alphas(capsys):
    done = done_with(3)
    done.flags.append(QcFlag("drift", [1006, 1007, 1009], 1006, "click again, first on frame 1006"))
    job_result.say_drift(done)
    job_result.say_flags(done)
    assert capsys.readouterr().out.splitlines() == [
        "Masks: drift on 1006-1007, 1009: click again, first on frame 1006",
        "QC: nothing flagged on 3 frames",
    ]
    assert job_result.as_result(done)["flags"][0]["worst"] == 1006


def stage(engine, computed, cached, plan=""):
    return StageDone(engine, computed, cached, plan)


def test_the_details_of_one_mask_are_what_it_ran_on_or_its_stages_and_what_its_mask_was_taken_for():
    done = replace(done_with(3), plan="cpu", stages=[stage("classic", 3, 0, "cpu")])
    assert job_result._details(done) == ["cpu", ""]
    taken = MaskTaken("good", 1.5, 4.0, 12.0)
    assert job_result._details(replace(done, mask=taken)) == [
        "cpu",
        "mask taken as good: --mask-slack 1.5 --trimap-erode 4 --trimap-dilate 12",
    ]
    both = [stage("classic", 0, 0), stage("adjust", 1, 2, "plain")]
    assert job_result._details(replace(done, stages=both)) == [
        "stage 1, classic: nothing was needed of it",
        "stage 2, adjust: 1 computed, 2 cached; plain",
        "",
    ]


def test_the_details_of_several_objects_begin_with_their_names():
    hero = ObjectDone("hero", 2, 1, "classic", "cpu", stages=[stage("classic", 2, 1)])
    dog = ObjectDone("dog", 0, 3, "sam2", "", mask=MaskTaken("", 1.0, 2.0, 3.0))
    assert job_result._details(replace(done_with(3), objects=[hero, dog])) == [
        "hero: 2 computed, 1 cached, by classic",
        "hero: cpu",
        "dog: 0 computed, 3 cached, by sam2",
        "dog: mask taken as the numbers say: --mask-slack 1 --trimap-erode 2 --trimap-dilate 3",
    ]


def test_a_job_is_told_in_lines_with_its_warnings_stages_and_side_results(capsys):
    done = replace(done_with(3), computed=2, cached=1, seconds=1.25, warnings=["little space"], colorspace="srgb")
    job_result.say(done)
    said = capsys.readouterr()
    assert said.err == "Warning: little space\n"
    assert said.out == "3 frames (2 computed, 1 cached) in 1.2 s by classic, region 0,0,8,8, plate as srgb\n"
    both = [stage("classic", 3, 0), stage("adjust", 1, 2)]
    job_result.say(replace(done, warnings=[], stages=both, side_results=[SideDone("foreground", 1, 2)]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("by classic, then adjust, region 0,0,8,8, plate as srgb")
    assert lines[-1] == "foreground: 1 computed, 2 cached"


def test_a_result_has_the_words_that_scripts_read(capsys):
    told = job_result.as_result(done_with(3))
    assert (told["frames"], told["computed"], told["flags"]) == (3, 3, [])
    assert not {"job", "frame_count", "person"} & told.keys()
