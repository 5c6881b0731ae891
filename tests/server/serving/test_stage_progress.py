from dataclasses import replace

import pytest
from videomama_client.messages import (
    MatteDone,
    ObjectDone,
    StageBegun,
    StageDone,
    StageFrameDone,
)
from videomama_server.serving.stage_progress import StageProgress


@pytest.fixture
def progress():
    return StageProgress()


def done(*stages):
    return MatteDone("j", 3, 3, 0, 0.5, "one", [0, 0, 64, 48], stages=list(stages))


def test_a_frame_of_a_stage_is_news_once(progress):
    assert progress.note_kept(StageFrameDone("j", 0, 1001, False))
    assert not progress.note_kept(StageFrameDone("j", 0, 1001, True))  # of the next worker
    assert progress.note_kept(StageFrameDone("j", 1, 1001, True))
    assert progress.frame_count == 2


def test_counts_are_those_of_all_workers_together(progress):
    for stage, frame, cached in [(0, 1, False), (0, 2, False), (0, 1, True), (0, 3, True), (1, 1, True)]:
        progress.note_kept(StageFrameDone("j", stage, frame, cached))
    told = progress.done(done(StageDone("one", 0, 3, "plan"), StageDone("two", 0, 3), StageDone("three", 1, 2)), 2)
    assert told == [StageDone("one", 2, 1, "plan"), StageDone("two", 0, 1), StageDone("three", 2, 1)]


def test_a_job_of_one_stage_has_the_counts_of_its_frames(progress):
    assert progress.done(done(StageDone("one", 1, 2)), 3) == [StageDone("one", 3, 0)]
    assert progress.done(done(), 3) == []


def test_the_stage_that_began_last_is_told(progress):
    assert progress.told({"": 2}) == ""
    progress.note_begun(StageBegun("j", 0, "classic", 3))
    progress.note_begun(StageBegun("j", 1, "passthrough", 3))
    assert progress.told({"": 2}) == "2 of 2, passthrough"


def test_the_object_that_is_at_work_is_told_with_its_own_stages(progress):
    counts = {"hero": 1, "dog": 2}
    progress.note_begun(StageBegun("j", 0, "classic", 3, "hero"))
    assert progress.told(counts) == "hero, classic"
    progress.note_begun(StageBegun("j", 1, "b", 3, "dog"))
    assert progress.told(counts) == "dog, 2 of 2, b"


def test_frames_of_each_object_are_counted_apart(progress):
    for name, stage, frame, cached in [("hero", 0, 1, False), ("dog", 0, 1, True), ("dog", 1, 1, False)]:
        assert progress.note_kept(StageFrameDone("j", stage, frame, cached, name))
    assert not progress.note_kept(StageFrameDone("j", 1, 1, True, "dog"))  # of the next worker
    told = [ObjectDone("hero", 0, 1, "a", stages=[StageDone("a", 0, 1)])]
    told.append(ObjectDone("dog", 0, 1, "a", stages=[StageDone("a", 0, 1), StageDone("b", 0, 1)]))
    hero, dog = progress.objects_done(replace(done(), objects=told))
    assert (hero.computed, hero.cached, hero.stages) == (1, 0, [StageDone("a", 1, 0)])
    assert (dog.computed, dog.cached, dog.stages) == (1, 0, [StageDone("a", 0, 1), StageDone("b", 1, 0)])
