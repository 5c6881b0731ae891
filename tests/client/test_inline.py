"""Tests for jobs whose pixels the client sends."""

import pytest
from videomama_client import inline, messages
from videomama_client.digests import content_digest
from videomama_client.errors import BadInput, Cancelled
from videomama_client.inline import InlineFrames


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


def test_an_inline_frame_that_cannot_be_read_ends_the_job(asked, server, make_clip):
    clip = make_clip(count=1)
    digests = {role: [content_digest(clip.file(role, 1001))] for role in ("plate", "mask")}
    request = clip.order(
        inline=True, inline_frame_numbers=[1001], plate_digests=digests["plate"], mask_digests=digests["mask"]
    )
    job = asked.submit(request)
    files = InlineFrames({1001: clip.file("plate", 1001)}, {1001: clip.folder / "gone.exr"})
    with pytest.raises(BadInput, match=r"mask frame 1001: cannot read .*gone\.exr: No such file"):
        list(asked.events(job, files))
    with pytest.raises(Cancelled):
        list(asked.events(job, files))


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_a_frame_is_taken_from_its_own_role(role, tmp_path):
    files = InlineFrames({7: tmp_path / "plate.exr"}, {7: tmp_path / "mask.exr"})
    assert files.file(role, 7).name == f"{role}.exr"


def failed(**words):
    return messages.MatteFailed("j", "bad-input", "cannot read /spool/plate.0007.exr: damaged", "Check it.", **words)


def test_an_error_of_a_frame_that_was_sent_names_this_sides_own_file(tmp_path):
    files = InlineFrames({7: tmp_path / "shot.0007.exr"}, {})
    event = failed(role="plate", frame=7, file="/spool/plate.0007.exr")
    error = inline.failure(event, files)
    assert str(tmp_path / "shot.0007.exr") in error.message
    assert "/spool" not in error.message


def test_an_error_that_names_no_frame_of_ours_stays_as_it_is(tmp_path):
    files = InlineFrames({7: tmp_path / "shot.0007.exr"}, {})
    for event in (failed(), failed(role="plate", frame=8, file="/spool/plate.0007.exr")):
        assert inline.failure(event, files).message == event.error.message
    assert inline.failure(failed(), None).message == failed().error.message


def test_a_failure_is_raised_and_all_other_events_are_told():
    with pytest.raises(BadInput, match="damaged"):
        inline.attended(None, failed(), None)
    done = messages.FrameDone("j", 7, False, "/a.0007.exr")
    assert inline.attended(None, done, None) is done


def test_key_masks_and_the_masks_of_objects_are_found_by_name_and_frame(tmp_path):
    own, one, key = (tmp_path / f"{name}.exr" for name in ("mask", "one", "key"))
    files = InlineFrames({}, {7: own}, {("include", 7): key}, {"one": {7: one}})
    found = [files.file("mask", 7), files.file("mask", 7, "one"), files.file("include", 7)]
    assert found == [own, one, key]
    for role, name in (("mask", "other"), ("exclude", ""), ("plate", "")):
        with pytest.raises(KeyError):
            files.file(role, 7, name)


class Asking:
    """A client that notes what is sent and cancelled."""

    def __init__(self):
        self.sent, self.cancelled = [], []

    def send_frame(self, frame, content):
        self.sent.append((frame, content))

    def cancel(self, job):
        self.cancelled.append(job)


def test_the_file_that_is_asked_for_is_sent_and_there_is_nothing_to_tell(tmp_path):
    (tmp_path / "one.exr").write_bytes(b"pixels")
    files, client = InlineFrames(objects={"one": {7: tmp_path / "one.exr"}}), Asking()
    assert inline.attended(client, messages.FrameWanted("j", "mask", 7, "one"), files) is None
    assert client.sent == [(messages.SupplyFrame("j", "mask", 7, "one"), b"pixels")]
    assert client.cancelled == []


@pytest.mark.parametrize("files", [None, InlineFrames()], ids=["none at all", "not this one"])
def test_a_frame_that_was_never_offered_cancels_the_job(files):
    client = Asking()
    with pytest.raises(BadInput, match="plate frame 7: it was never offered"):
        inline.attended(client, messages.FrameWanted("j", "plate", 7), files)
    assert (client.cancelled, client.sent) == (["j"], [])
