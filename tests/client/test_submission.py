"""By path where that is proved, else inline; the clients' own folders and files are the command line's and Nuke's."""

from pathlib import Path

import numpy as np
import pytest
from videomama_client import submission
from videomama_client.digests import content_digest
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.inline import InlineFrames
from videomama_client.messages import FrameDone, MatteDone
from videomama_client.submission import goes_by_path, submit


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


@pytest.fixture
def here(tmp_path):
    """Where this side keeps its alphas: a folder that the server hears nothing of."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def offered(clip) -> InlineFrames:
    plate, mask = ({frame: clip.file(role, frame) for frame in clip.numbers} for role in ("plate", "mask"))
    return InlineFrames(plate, mask)


def seen(client, clip):
    """The proof for a clip."""
    return lambda: client.sees_file(clip.file("plate", clip.first)) and client.sees_folder(clip.folder)


def all_events(sent):
    yield from sent.events()


def one_by_one(sent):
    """As Nuke does, which looks in between whether the person stopped it."""
    event = None
    while not isinstance(event, MatteDone):
        event = sent.next_event(0.1)
        if event is not None:
            yield event


FOLLOWED = pytest.mark.parametrize("follow", [all_events, one_by_one])


def refuse() -> bool:
    raise NotPermitted("outside the server's roots")


def test_files_that_the_server_sees_go_by_path(asked, make_clip):
    assert goes_by_path(seen(asked, make_clip(count=1)))


def test_a_server_of_other_roots_is_sent_the_files_unless_by_path_was_asked_for(start_server, make_clip, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    clip = make_clip(count=1)
    with start_server("--roots", str(tmp_path / "elsewhere")).client() as client:
        assert not goes_by_path(seen(client, clip))
        with pytest.raises(NotPermitted, match="roots"):
            goes_by_path(seen(client, clip), must=True)


@pytest.mark.parametrize("proof", [lambda: False, refuse], ids=["other files", "refused"])
def test_what_is_not_proved_goes_inline(proof):
    assert not goes_by_path(proof)


def test_by_path_that_is_not_proved_is_refused_where_it_was_asked_for():
    with pytest.raises(BadInput, match="does not see the same files") as caught:
        goes_by_path(lambda: False, must=True)
    assert "--transport inline" in caught.value.hint


@pytest.mark.parametrize("must", [False, True])
def test_a_folder_that_this_side_cannot_use_is_its_own_error_and_no_answer(asked, tmp_path, must):
    with pytest.raises(FileNotFoundError) as caught:
        goes_by_path(lambda: asked.sees_folder(tmp_path / "gone"), must)
    assert caught.value.filename == str(tmp_path / "gone")


@FOLLOWED
def test_the_alphas_of_an_inline_job_are_those_by_path_and_lie_where_this_side_says(asked, make_clip, here, follow):
    clip = make_clip(count=3)
    assert list(follow(submit(asked, clip.order(), None, lambda frame: here / f"{frame}.exr")))
    assert not list(here.iterdir())  # by path the server writes them
    by_path = [clip.alpha_file(frame).read_bytes() for frame in clip.numbers]
    for frame in clip.numbers:
        clip.alpha_file(frame).unlink()
    events = list(follow(submit(asked, clip.order(), offered(clip), lambda frame: here / f"mine.{frame}.exr")))
    assert sorted(event.frame for event in events if isinstance(event, FrameDone)) == list(clip.numbers)
    assert [(here / f"mine.{frame}.exr").read_bytes() for frame in clip.numbers] == by_path
    assert len(list(here.glob("*.exr"))) == 3
    assert [path.name for path in Path(clip.out).parent.iterdir()] == ["job.json"]  # of the job by path


@FOLLOWED
def test_an_alpha_is_there_when_its_event_is_told(asked, make_clip, here, follow):
    clip = make_clip(count=2)
    sent = submit(asked, clip.order(), offered(clip), lambda frame: here / f"{frame}.exr")
    there = [(here / f"{event.frame}.exr").is_file() for event in follow(sent) if isinstance(event, FrameDone)]
    assert there == [True, True]


def test_frames_are_offered_in_order_with_the_digests_of_each_role(asked, make_clip, here, monkeypatch):
    clip, requests = make_clip(count=3), []
    monkeypatch.setattr(asked, "submit", lambda request: requests.append(request) or "job")
    files = offered(clip)
    backwards = InlineFrames(*(dict(reversed(role.items())) for role in (files.plate, files.mask)))
    order = clip.order(frame_ranges="1002")
    submit(asked, order, backwards, lambda frame: here / f"{frame}.exr")
    submit(asked, order, None, lambda frame: here / f"{frame}.exr")
    inline, by_path = requests
    assert (inline.inline, inline.inline_frame_numbers, inline.frame_ranges) == (True, [1001, 1002, 1003], "1002")
    assert inline.plate_digests == [content_digest(clip.file("plate", frame)) for frame in clip.numbers]
    assert inline.mask_digests == [content_digest(clip.file("mask", frame)) for frame in clip.numbers]
    assert by_path == order


def test_a_file_that_holds_plate_and_mask_is_read_once_for_its_digest(asked, make_clip, here, monkeypatch):
    clip, read, requests = make_clip(count=2), [], []
    monkeypatch.setattr(submission, "content_digest", lambda path: read.append(path) or path.name)
    monkeypatch.setattr(asked, "submit", lambda request: requests.append(request) or "job")
    both = {frame: clip.file("plate", frame) for frame in clip.numbers}
    submit(asked, clip.order(), InlineFrames(both, both), lambda frame: here / f"{frame}.exr")
    assert read == list(both.values())
    assert requests[0].plate_digests == requests[0].mask_digests == ["plate.1001.exr", "plate.1002.exr"]


@FOLLOWED
def test_a_frame_that_the_server_cannot_read_is_named_with_this_sides_file(asked, make_clip, here, follow):
    clip = make_clip(count=3)
    clip.file("mask", 1002).write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"mask frame 1002: .*mask\.1002\.exr") as caught:
        list(follow(submit(asked, clip.order(), offered(clip), lambda frame: here / f"{frame}.exr")))
    assert (caught.value.role, caught.value.frame) == ("mask", 1002)
    assert caught.value.file == str(clip.file("mask", 1002))


@FOLLOWED
def test_an_alpha_that_cannot_be_written_here_is_named_and_ends_the_job(asked, make_clip, here, follow, eventually):
    clip = make_clip(count=3)
    (here / "1001.exr").mkdir()
    sent = submit(asked, clip.order(), offered(clip), lambda frame: here / f"{frame}.exr")
    with pytest.raises(NotPermitted, match="a folder of that name is in its place") as caught:
        list(follow(sent))
    assert caught.value.file == str(here / "1001.exr")
    assert caught.value.hint.endswith("Finished frames are cached.")
    assert not list(here.glob(".*"))
    eventually(lambda: asked.status().jobs_left == 0, "the job has ended")


@FOLLOWED
def test_an_output_folder_that_is_removed_meanwhile_is_told(asked, make_clip, here, follow):
    clip = make_clip(count=1)
    sent = submit(asked, clip.order(), offered(clip), lambda frame: here / f"{frame}.exr")
    here.rmdir()
    with pytest.raises(NotPermitted, match="removed meanwhile"):
        list(follow(sent))


@pytest.mark.parametrize("role", ["plate", "mask"])
@pytest.mark.parametrize("there", [True, False], ids=["a folder", "gone"])
def test_a_frame_that_cannot_be_read_here_is_named_before_anything_is_sent(asked, make_clip, here, role, there):
    clip = make_clip(count=3)
    path = clip.file(role, 1002)
    path.unlink()
    if there:
        path.mkdir()
    jobs = len(asked.jobs())
    with pytest.raises(BadInput, match=f"{role} frame 1002: cannot read ") as caught:
        submit(asked, clip.order(), offered(clip), clip.alpha_file)
    assert (caught.value.role, caught.value.frame, caught.value.file) == (role, 1002, str(path))
    assert len(asked.jobs()) == jobs


def test_the_pixels_are_the_masks_whatever_the_way(asked, make_clip):
    """The engine is passthrough: what comes back is the mask, so nothing was mixed up on the way."""
    clip = make_clip(count=2)
    Path(clip.out).parent.mkdir()
    assert list(all_events(submit(asked, clip.order(), offered(clip), clip.alpha_file)))
    for frame in clip.numbers:
        np.testing.assert_array_equal(clip.read_alpha(frame), clip.read_mask(frame))


def test_a_job_without_masks_offers_plates_alone(asked, make_clip, here, monkeypatch):
    clip, requests = make_clip(count=2), []
    monkeypatch.setattr(asked, "submit", lambda request: requests.append(request) or "job")
    plates = InlineFrames(offered(clip).plate)
    submit(asked, clip.order(mask=""), plates, lambda frame: here / f"{frame}.exr")
    assert requests[0].inline_frame_numbers == [1001, 1002]
    assert (len(requests[0].plate_digests), requests[0].mask_digests) == (2, [])


class Interrupted:
    """A client of which a person presses Ctrl-C, or whose job ends."""

    def __init__(self, *events):
        self.told, self.cancelled = events, []

    def events(self, job, inline):
        yield from self.told
        raise KeyboardInterrupt

    def cancel(self, job):
        self.cancelled.append(job)


def test_a_job_is_followed_to_its_result(make_clip, asked, here):
    told = []
    clip = make_clip(count=2)
    sent = submit(asked, clip.order(), offered(clip), lambda frame: here / f"alpha.{frame}.exr")
    assert sent.finish(told.append).frame_count == 2
    assert sum(isinstance(event, FrameDone) for event in told) == 2
    assert not any(isinstance(event, MatteDone) for event in told)


def test_an_interrupt_cancels_the_job():
    client = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        submission.Sent(client, "j1", None, Path).finish(lambda _: None)
    assert client.cancelled == ["j1"]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(goes_by_path) == {"must": False}
