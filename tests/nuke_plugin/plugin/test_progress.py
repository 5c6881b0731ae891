"""What a refine says of how far it is."""

from videomama_client import messages
from videomama_nuke.progress import Progress


def said(*events, total=4):
    progress = Progress(total)
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
