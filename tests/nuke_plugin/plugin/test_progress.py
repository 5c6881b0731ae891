"""What a refine says of how far it is."""

from dataclasses import replace

from videomama_client import messages
from videomama_nuke.progress import Progress


def said(*events, total=4, stages=1):
    progress = Progress(total, stages=stages)
    for event in events:
        progress.note(event)
    return progress.text, progress.percent


def planned(*stages):
    return messages.MattePlanned("job", stages[0], [], 4, "", stages=list(stages))


def done(frame, cached=False):
    return messages.FrameDone("job", frame, cached, "")


def begun(stage, engine, count=6):
    return messages.StageBegun("job", stage, engine, count)


def test_a_job_of_one_stage_names_none():
    assert said(planned("classic"), done(1), done(2)) == ("refining: 2 of 4", 50)


def test_an_earlier_stage_counts_the_alphas_that_the_job_needs_of_it():
    events = planned("classic", "adjust"), begun(0, "classic"), messages.StageFrameDone("job", 0, 1, False)
    assert said(*events) == ("refining, stage 1 of 2, classic: 1 of 6", 16)


def test_the_last_stage_counts_the_alphas_that_are_wanted():
    events = planned("classic", "adjust"), done(1, True), begun(0, "classic"), begun(1, "adjust"), done(2)
    assert said(*events) == ("refining, stage 2 of 2, adjust: 2 of 4", 50)


def test_a_job_that_is_cached_has_no_stage_at_work():
    assert said(planned("classic", "adjust"), done(1, True)) == ("refining: 1 of 4", 25)


def test_views_count_together_and_each_begins_with_its_own_stages():
    first = planned("classic", "adjust"), begun(1, "adjust"), *map(done, range(4))
    assert said(*first, planned("classic", "adjust"), total=8) == ("refining: 4 of 8", 50)
    assert said(*first, planned("classic", "adjust"), begun(0, "classic"), total=8) == (
        "refining, stage 1 of 2, classic: 0 of 6",
        0,
    )


def test_once_all_alphas_are_there_the_foreground_is_counted():
    def colour(frame):
        return messages.SideFrameDone("job", "foreground", frame, False, "")

    events = [planned("classic"), done(1), colour(1), done(2), done(3)]
    assert said(*events) == ("refining: 3 of 4", 75)
    assert said(*events, done(4)) == ("foreground: 1 of 4", 25)
    assert said(*events, done(4), colour(2), colour(3), colour(4)) == ("foreground: 4 of 4", 100)


def test_a_maker_of_masks_works_before_the_job_says_what_it_came_to():
    events = begun(0, "held"), messages.StageFrameDone("job", 0, 1, False)
    assert said(*events, stages=2) == ("refining, stage 1 of 2, held: 1 of 6", 16)
    assert said(*events, planned("held", "classic"), done(1), stages=2) == ("refining: 1 of 4", 25)


def phase(code, done=0, total=None, subject=""):
    return messages.PhaseChanged("job", messages.Phase(code, done, total, subject))


def test_what_is_being_done_is_said_until_the_first_alpha_of_a_stage_and_when_it_is_not_computing():
    queued = (phase("queued", 1),)
    assert said(*queued) == ("waiting behind 1 job", 0)
    begins = (*queued, planned("classic"), phase("computing", subject="1-4"))
    assert said(*begins) == ("computing 1-4", 0)
    assert said(*begins, done(1)) == ("refining: 1 of 4", 25)
    assert said(*begins, done(1), phase("loading", 1, 2, "videomama"))[0] == "loading videomama, 0.0 of 0.0 GB"
    assert said(*begins, *map(done, range(4)), phase("side-results")) == ("refining: 4 of 4", 100)


def test_a_stage_of_an_object_is_named_with_it_and_counted_among_its_own():
    two = [
        messages.ObjectPlanned("hero", "classic", "", stages=["classic"]),
        messages.ObjectPlanned("dog", "held", "", stages=["held", "classic"]),
    ]
    at_work = messages.StageBegun("job", 1, "classic", 6, "dog")
    events = [replace(planned("classic"), objects=two), at_work, messages.StageFrameDone("job", 1, 1, False, "dog")]
    assert said(*events) == ("refining, stage dog, 2 of 2, classic: 1 of 6", 16)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Progress) == {
        "done": 0,
        "stages": 1,
        "_before_last": False,
        "_needed": 0,
        "_ready": 0,
        "_sides": 0,
    }


def test_the_foregrounds_of_several_objects_are_counted_together_and_named():
    both = [messages.ObjectPlanned(name, "classic", "", "") for name in ("hero", "dog")]
    plan = replace(planned("classic"), objects=both)
    sides = [messages.SideFrameDone("job", "foreground", frame, False, "", "hero") for frame in (1, 2)]
    assert said(plan, *map(done, (1, 2)), *sides, total=2) == ("foreground of hero: 2 of 4", 50)
