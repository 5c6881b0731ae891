import pytest
from videomama_client.messages import SideDone, SideFrameDone
from videomama_server.serving.side_progress import SideProgress


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
    assert progress.done(["foreground", "trimap"]) == [SideDone("foreground", 2, 1), SideDone("trimap", 0, 0)]


def test_the_kind_that_lacks_frames_is_told(progress):
    progress.note(frame(1))
    assert progress.at_work(["foreground"], 2) == ("foreground", 1)
    progress.note(frame(2))
    assert progress.at_work(["foreground"], 2) is None
    assert progress.at_work(["foreground", "trimap"], 2) == ("trimap", 0)
    assert progress.at_work([], 2) is None


def test_the_file_of_a_finished_frame_is_known(progress):
    progress.note(frame(1))
    assert progress.path("foreground", 1) == "/out/foreground.1.exr"
    assert progress.path("foreground", 2) is progress.path("trimap", 1) is None
