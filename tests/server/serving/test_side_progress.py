import pytest
from videomama_client.messages import SideDone, SideFrameDone
from videomama_server.serving.side_progress import SideProgress

FOREGROUND, TRIMAP = ("foreground", ""), ("trimap", "")


@pytest.fixture
def progress():
    return SideProgress()


def frame(number, cached=False, kind="foreground"):
    return SideFrameDone("j", kind, number, cached, f"/out/{kind}.{number}.exr")


def test_a_frame_is_news_once(progress):
    assert progress.note(frame(1001))
    assert not progress.note(frame(1001, cached=True))  # of the next worker
    assert progress.note(frame(1001, kind="trimap"))
    assert progress.frame_count == 2


def test_counts_are_those_of_all_workers_together(progress):
    for one in (frame(1), frame(2), frame(1, cached=True), frame(3, cached=True)):
        progress.note(one)
    assert progress.done([FOREGROUND, TRIMAP]) == [SideDone("foreground", 2, 1), SideDone("trimap", 0, 0)]


def test_the_kind_that_lacks_frames_is_told(progress):
    progress.note(frame(1))
    assert progress.at_work([FOREGROUND], 2) == ("foreground", 1)
    progress.note(frame(2))
    assert progress.at_work([FOREGROUND], 2) is None
    assert progress.at_work([FOREGROUND, TRIMAP], 2) == ("trimap", 0)
    assert progress.at_work([], 2) is None


def test_the_file_of_a_finished_frame_is_known(progress):
    progress.note(frame(1))
    assert progress.path(FOREGROUND, 1) == "/out/foreground.1.exr"
    assert progress.path(FOREGROUND, 2) is progress.path(TRIMAP, 1) is None


def test_objects_are_counted_apart(progress):
    for name, count in (("hero", 2), ("dog", 1)):
        for number in range(count):
            assert progress.note(SideFrameDone("j", "foreground", number, False, f"/{name}.{number}.exr", name))
    asked = [("foreground", "hero"), ("foreground", "dog")]
    assert progress.frame_count == 3
    assert progress.at_work(asked, 2) == ("foreground of dog", 1)
    assert progress.done(asked) == [SideDone("foreground", 2, 0, "hero"), SideDone("foreground", 1, 0, "dog")]
    assert progress.path(("foreground", "dog"), 0) == "/dog.0.exr"
    assert progress.path(("foreground", "dog"), 1) is progress.path(FOREGROUND, 0) is None
