"""The job at the server: inline where it does not see the files, and a job that is stopped says so or is left."""

import time
from dataclasses import replace

import comps
import numpy as np
import pytest
from videomama_client import launch, messages
from videomama_client.errors import BadInput, Cancelled, NotPermitted
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_nuke import transfer, words
from videomama_nuke.subject import Chain


def parcel(folder, **changes) -> transfer.Parcel:
    files = {}
    for frame in range(1001, 1005):
        plate, mask = comps.pixels(frame)
        files[frame] = folder / f"source.{frame}.exr"
        comps.write_exr(files[frame], np.dstack([plate, mask]), ("R", "G", "B", "A"))
    pattern = str(folder / "source.%04d.exr")
    settings = MatteSettings.of(engine="classic", quality="fast", mask_channel="A")
    out = str(folder / "out" / "alpha.%04d.exr")
    made = {"files": files, "source": pattern, "out": out, "chain": Chain(settings)}
    return transfer.Parcel(**{**made, "clip": "1001-1004", "wanted": "1001-1004", "label": "a test", **changes})


def alphas(folder) -> list[np.ndarray]:
    return [comps.read_exr(path) for path in sorted((folder / "out").glob("alpha.*.exr"))]


def follow(client, sent_from) -> bool:
    """Do a job to its end; return whether it went inline."""
    sent = transfer.submit(client, sent_from)
    list(transfer.follow(sent, lambda: False, lambda: 5.0))
    return sent.inline is not None


def run(server, sent_from) -> bool:
    with launch.connect(server.connection_file, start=False) as client:
        return follow(client, sent_from)


def test_a_server_that_may_not_open_the_files_is_sent_them(start_server, server, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    apart = start_server("--roots", str(tmp_path / "elsewhere"))
    assert not run(server, parcel(tmp_path / "a"))
    assert run(apart, parcel(tmp_path / "b"))
    seen, sent = alphas(tmp_path / "a"), alphas(tmp_path / "b")
    assert len(sent) == 4
    assert all(np.array_equal(left, right) for left, right in zip(seen, sent, strict=True))
    (tmp_path / "new").touch()
    for name in ("a", "b"):  # a render farm's user reads them as any other new file
        mode = (tmp_path / name / "out" / "alpha.1001.exr").stat().st_mode
        assert mode == (tmp_path / "new").stat().st_mode


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        launch.connect(server.connection_file, start=False) as client,
        pytest.raises(NotPermitted, match="cannot write to"),
    ):
        transfer.submit(client, parcel(tmp_path, out=str(tmp_path / "file" / "alpha.%04d.exr")))


@pytest.mark.parametrize("inline", [False, True], ids=["path", "inline"])
def test_a_frame_that_cannot_be_read_is_named_with_this_sides_file(start_server, server, tmp_path, inline):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shot").mkdir()
    other = start_server("--roots", str(tmp_path / "elsewhere")) if inline else server
    sent_from = parcel(tmp_path / "shot")
    sent_from.files[1003].write_bytes(sent_from.files[1003].read_bytes()[:400])
    with pytest.raises(BadInput, match="frame 1003: cannot read") as caught:
        run(other, sent_from)
    assert (caught.value.frame, caught.value.file) == (1003, str(sent_from.files[1003]))
    assert caught.value.role in ("plate", "mask")  # one file holds both
    assert str(sent_from.files[1003]) in caught.value.message
    assert words.said(caught.value).endswith(f" Look at frame 1003 of the {caught.value.role}.")


def test_what_the_server_refuses_is_raised(server, tmp_path):
    with (
        launch.connect(server.connection_file, start=False) as client,
        pytest.raises(BadInput, match="unknown quality"),
    ):
        follow(client, parcel(tmp_path, chain=Chain(MatteSettings.of(quality="best"))))


def test_a_stopped_job_is_left_when_the_server_does_not_say_so_in_time(server, tmp_path):
    with launch.connect(server.connection_file, start=False) as client:
        sent = transfer.submit(client, parcel(tmp_path))
        with pytest.raises(Cancelled):
            list(transfer.follow(sent, lambda: True, lambda: 0.0))


class Sent:
    """A job that says nothing, and counts how often it is cancelled."""

    def __init__(self, *events: object) -> None:
        self.client, self.job = self, "j"
        self.events, self.cancelled = list(events), []

    def cancel(self, job: str) -> None:
        self.cancelled.append((job, time.monotonic()))

    def next_event(self, timeout: float):
        time.sleep(0.01)
        return self.events.pop(0) if self.events else None


DONE = messages.MatteDone("j", 1, 1, 0, 1.0, "classic", [])


def test_events_come_until_the_job_is_done():
    frame = messages.FrameDone("j", 1001, False, "")
    sent = Sent(frame, None, DONE, frame)
    assert list(transfer.follow(sent, lambda: False, lambda: 5.0)) == [frame, DONE]
    assert sent.cancelled == []


def test_a_stopped_job_is_cancelled_once_and_left_when_patience_is_out():
    sent = Sent()
    begun = time.monotonic()
    with pytest.raises(Cancelled, match="the refine was cancelled"):
        list(transfer.follow(sent, lambda: True, lambda: 0.3))
    assert [job for job, _ in sent.cancelled] == ["j"]
    assert time.monotonic() - begun >= 0.3


def test_a_job_that_is_done_before_it_hears_of_the_cancel_is_done():
    assert list(transfer.follow(Sent(DONE), lambda: True, lambda: 5.0)) == [DONE]


def test_a_job_is_asked_for_as_the_parcel_says(server, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(transfer.submission, "submit", lambda *words: asked.append(words))
    sent_from = parcel(tmp_path, priority="batch")
    with launch.connect(server.connection_file, start=False) as client:
        transfer.submit(client, sent_from)
    ((_, request, inline, alpha, _),) = asked
    assert (request.plate, request.mask, request.out) == (sent_from.source, sent_from.source, sent_from.out)
    assert (request.clip, request.frame_ranges, request.priority, request.label) == (
        "1001-1004",
        "1001-1004",
        "batch",
        "a test",
    )
    assert request.submitter.program == "nuke"
    assert request.settings == sent_from.chain.settings
    assert inline is None
    assert alpha(1003) == tmp_path / "out" / "alpha.1003.exr"
    assert request.side_results == ()


@pytest.mark.parametrize("inline", [False, True], ids=["path", "inline"])
def test_foreground_colour_comes_back_by_path_and_inline(start_server, server, tmp_path, inline):
    (tmp_path / "elsewhere").mkdir()
    other = start_server("--roots", str(tmp_path / "elsewhere")) if inline else server
    assert run(other, parcel(tmp_path / "a", foreground=str(tmp_path / "fg" / "fg.####.exr"))) == inline
    found = sorted(path.name for path in (tmp_path / "fg").iterdir())
    assert found == [f"fg.{frame}.exr" for frame in range(1001, 1005)]
    assert comps.read_exr(tmp_path / "fg" / "fg.1001.exr").shape[-1] == 3


@pytest.mark.parametrize("inline", [False, True], ids=["path", "inline"])
def test_each_object_has_a_foreground_of_its_own(start_server, server, tmp_path, inline):
    (tmp_path / "elsewhere").mkdir()
    other = start_server("--roots", str(tmp_path / "elsewhere")) if inline else server
    made = parcel(tmp_path / "a", foreground=str(tmp_path / "fg_{object}" / "fg.####.exr"), by_mask_input=False)
    both = tuple(MaskObject(name, made.source, mask_channel=channel) for name, channel in (("hero", "A"), ("dog", "R")))
    chain = replace(made.chain, objects=both)
    assert run(other, replace(made, chain=chain, masks=dict.fromkeys(("hero", "dog"), made.files))) == inline
    for name in ("hero", "dog"):
        found = sorted(path.name for path in (tmp_path / f"fg_{name}").iterdir())
        assert found == [f"fg.{frame}.exr" for frame in range(1001, 1005)]
    hero, dog = (comps.read_exr(tmp_path / f"fg_{name}" / "fg.1001.exr") for name in ("hero", "dog"))
    assert not np.array_equal(hero, dog)


def test_a_folder_of_the_foreground_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted, match=r"cannot write to .*file.*\nChoose another foreground file"):
        run(server, parcel(tmp_path / "a", foreground=str(tmp_path / "file" / "fg.####.exr")))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(transfer.Parcel) == {"by_mask_input": True}
