"""Pixels by path where both sides see the same files, inline otherwise; and no path outside the roots."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from videomama_client import inline
from videomama_client.client import Client
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.messages import FrameDone, FrameWanted, MatteDone
from videomama_client.settings import MatteSettings
from videomama_server import submission
from videomama_server.media import frames
from videomama_server.media.geometry import Geometry, Rect

PASSTHROUGH = MatteSettings(engine="passthrough", roi="off", window=4, overlap=2)


def ordered(clip, **changes) -> submission.Submission:
    return submission.Submission(clip.plate, clip.mask, clip.out, PASSTHROUGH, **changes)


def sent(client, order) -> MatteDone:
    """Do a job the way the command line does."""
    return list(submission.submit(client, order).events())[-1]


@pytest.fixture
def supplied(monkeypatch):
    """The inline frames that were sent, as (role, frame)."""
    asked: list[tuple[str, int]] = []
    supply = inline.supply

    def noted(client: Client, wanted: FrameWanted, files) -> None:
        asked.append((wanted.role, wanted.frame))
        supply(client, wanted, files)

    monkeypatch.setattr(inline, "supply", noted)
    return asked


@pytest.fixture(scope="module")
def rooted(run_server, tmp_path_factory):
    """A server that may open one folder, and that folder."""
    folder = tmp_path_factory.mktemp("rooted")
    root = folder / "root"
    root.mkdir()
    server = run_server(folder, ("--roots", str(root)))
    yield server, root
    server.end()


def test_a_shared_disk_is_used_by_path(server, make_clip, supplied):
    clip = make_clip()
    with server.client() as client:
        assert sent(client, ordered(clip)).computed == 4
    assert supplied == []


def test_inline_gives_the_same_pixels_as_by_path_and_then_sends_none(server, make_clip, forget, supplied):
    clip = make_clip(count=6)
    with server.client() as client:
        assert sent(client, ordered(clip, transport="path")).computed == 6
        by_path = [clip.read_alpha(frame) for frame in clip.numbers]
        forget(server, clip)
        assert sent(client, ordered(clip, transport="inline")).computed == 6
        assert {role for role, _ in supplied} == {"plate", "mask"}
        for frame, alpha in zip(clip.numbers, by_path, strict=True):
            np.testing.assert_array_equal(clip.read_alpha(frame), alpha)
        supplied.clear()
        assert sent(client, ordered(clip, transport="inline")).computed == 0
    assert supplied == []


def test_inline_frames_without_scores_are_sent_once_more_and_judged(server, make_clip, supplied):
    clip = make_clip(count=3)
    with server.client() as client:
        first = sent(client, ordered(clip, transport="inline"))
        for note in server.cache_dir.glob("entries/*/*.json"):
            note.unlink()
        supplied.clear()
        again = sent(client, ordered(clip, transport="inline"))
        assert (again.computed, again.judged, again.warnings, again.flags) == (0, 3, [], first.flags)
        assert sorted(supplied) == [(role, frame) for role in ("mask", "plate") for frame in clip.numbers]
        supplied.clear()
        assert sent(client, ordered(clip, transport="inline")).judged == 3
    assert supplied == []


def test_an_inline_edit_sends_the_frames_that_are_needed_and_no_more(server, make_clip, supplied):
    clip = make_clip(count=16, first=1000)
    with server.client() as client:
        sent(client, ordered(clip, transport="inline"))
        supplied.clear()
        path = clip.file("mask", 1004)
        frames.write_picture(path, 1.0 - frames.read_mask(path).pixels, ("A",), "half")
        done = sent(client, ordered(clip, transport="inline"))
    assert done.computed == 6  # 1002 to 1007, of windows 1002-1005 and 1004-1007
    assert ("mask", 1004) in supplied
    assert {frame for _, frame in supplied} == set(range(1000, 1010))  # and the windows that share those frames


def test_inline_keeps_format_layer_and_dtype(server, make_clip, read_file):
    clip = make_clip(count=1)
    with server.client() as client:
        sent(client, ordered(clip, transport="inline", layer="matte", dtype="half"))
        png = replace(ordered(clip, transport="inline"), out=str(clip.folder / "out" / "alpha.####.png"))
        sent(client, png)
    assert read_file(clip.alpha_file(1001))[:2] == (["matte.A"], "half")
    assert read_file(clip.folder / "out" / "alpha.1001.png")[1] == "uint16"


def test_inline_frames_before_zero(server, make_clip):
    clip = make_clip(count=3, first=-1)
    with server.client() as client:
        assert sent(client, ordered(clip, transport="inline")).frame_count == 3
    np.testing.assert_array_equal(clip.read_alpha(-1).shape, (64, 96))


def test_inline_leaves_nothing_but_the_alphas_and_how_they_were_made(server, make_clip):
    clip = make_clip(count=3)
    with server.client() as client:
        sent(client, ordered(clip, transport="inline"))
    names = [*(f"alpha.{n}.exr" for n in clip.numbers), "job.json"]
    assert sorted(path.name for path in Path(clip.out).parent.iterdir()) == names
    assert list((server.cache_dir / "spool").iterdir()) == []


def test_inline_alphas_are_as_open_as_any_other_new_file(server, make_clip):
    clip = make_clip(count=1)
    with server.client() as client:
        sent(client, ordered(clip, transport="inline"))
    (clip.folder / "any").touch()
    assert clip.alpha_file(1001).stat().st_mode == (clip.folder / "any").stat().st_mode


def test_inline_bad_input_names_the_frame(server, make_clip):
    clip = make_clip(count=3)
    clip.file("mask", 1002).write_bytes(b"no picture")
    with server.client() as client, pytest.raises(BadInput, match="mask frame 1002"):
        sent(client, ordered(clip, transport="inline"))
    assert list((server.cache_dir / "spool").iterdir()) == []


def test_inline_missing_frames_are_all_listed(server, make_clip):
    clip = make_clip(count=5)
    clip.file("mask", 1002).unlink()
    clip.file("mask", 1004).unlink()
    with server.client() as client, pytest.raises(BadInput, match="mask frames 1002, 1004"):
        sent(client, ordered(clip, transport="inline"))


def test_inline_bytes_that_are_not_those_announced_fail_the_job_and_not_the_cache(server, make_clip):
    clip = make_clip(count=1)
    path = clip.file("mask", 1001)
    announced, expected = path.read_bytes(), clip.read_mask(1001)
    with server.client() as client:
        job = submission.submit(client, ordered(clip, transport="inline"))
        frames.write_picture(path, 1.0 - expected, ("A",), "half")
        with pytest.raises(BadInput, match=r"mask\.1001\.exr changed while the job was running"):
            list(job.events())
        path.write_bytes(announced)
        assert sent(client, ordered(clip, transport="inline")).frame_count == 1
    np.testing.assert_array_equal(clip.read_alpha(1001), expected)


def test_by_path_is_proved_to_a_server_that_may_look(rooted, make_clip):
    server, root = rooted
    clip = make_clip(count=2)
    clip.folder.rename(root / "clip")
    clip = replace(clip, folder=root / "clip")
    with server.client() as client:
        assert client.sees_file(clip.file("plate", 1001))
        assert sent(client, ordered(clip, transport="path")).computed == 2


def test_by_path_is_refused_by_a_server_of_other_roots(rooted, make_clip):
    server, _ = rooted
    clip = make_clip(count=1)
    with server.client() as client:
        with pytest.raises(NotPermitted, match="outside the server's roots"):
            client.sees_file(clip.file("plate", 1001))
        with pytest.raises(NotPermitted, match="outside the server's roots"):
            sent(client, ordered(clip, transport="path"))
        assert sent(client, ordered(clip, transport="inline")).computed == 1


def test_a_job_outside_the_roots_is_refused_whatever_way_it_is_written(rooted, make_clip):
    server, root = rooted
    clip = make_clip(count=1)
    (root / "link").symlink_to(clip.folder)
    (root / "sub").mkdir()
    up = os.path.relpath(clip.folder, root / "sub")
    for folder in (str(clip.folder), f"{root}/sub/{up}", f"{root}/link", f"/proc/self/root{clip.folder}"):
        with pytest.raises(NotPermitted, match="outside the server's roots"):
            server.refine(clip, plate=f"{folder}/plate.####.exr", mask=f"{folder}/mask.####.exr", out="")


def test_a_link_under_the_roots_to_a_file_outside_is_refused(rooted, make_clip):
    server, root = rooted
    clip = make_clip(count=1)
    inside = root / "links"
    inside.mkdir()
    for role in ("plate", "mask"):
        (inside / f"{role}.1001.exr").symlink_to(clip.file(role, 1001))
    with pytest.raises(NotPermitted, match="outside the server's roots"):
        server.refine(clip, plate=f"{inside}/plate.####.exr", mask=f"{inside}/mask.####.exr", out="")
    with server.client() as client, pytest.raises(NotPermitted, match="outside the server's roots"):
        client.sees_file(inside / "plate.1001.exr")


def test_an_output_outside_the_roots_is_refused_and_no_folder_made(rooted, make_clip):
    server, root = rooted
    clip = make_clip(count=1)
    inside = root / "shot"
    clip.folder.rename(inside)
    clip = replace(clip, folder=inside)
    outside = root.parent / "outside"
    with pytest.raises(NotPermitted, match="outside the server's roots"):
        server.refine(clip, out=f"{outside}/alpha.####.exr")
    with pytest.raises(NotPermitted, match="outside the server's roots"):
        server.refine(clip, out=f"{root}/../outside/alpha.####.exr")
    assert not outside.exists()


def test_an_output_link_to_a_file_outside_is_replaced_not_followed(rooted, make_clip):
    server, root = rooted
    clip = make_clip(count=1)
    inside = root / "replaced"
    clip.folder.rename(inside)
    clip = replace(clip, folder=inside)
    precious = root.parent / "precious.exr"
    precious.write_bytes(b"precious")
    clip.alpha_file(1001).parent.mkdir()
    clip.alpha_file(1001).symlink_to(precious)
    assert server.refine(clip).done.frame_count == 1
    assert precious.read_bytes() == b"precious"
    assert not clip.alpha_file(1001).is_symlink()


def test_a_finished_inline_frame_is_fetched_as_it_lies_on_disk(server, make_clip):
    clip = make_clip(count=1)
    with server.client() as client:
        job = submission.submit(client, ordered(clip, transport="inline"))
        done = [event for event in job.events() if isinstance(event, FrameDone)]
        assert (
            client.fetch_alpha(job.job, 1001) == clip.alpha_file(1001).read_bytes() == Path(done[0].path).read_bytes()
        )


def moved(clip, root):
    """Move a clip into a folder under the roots."""
    return replace(clip, folder=Path(shutil.move(clip.folder, root / f"moved {clip.folder.parent.name}")))


def test_what_takes_the_place_of_an_alpha_after_the_job_is_not_fetched(rooted, make_clip, tmp_path):
    server, root = rooted
    clip = moved(make_clip(count=3), root)
    secret = tmp_path / "secret.exr"
    secret.write_bytes(b"secret")
    with server.client() as client:
        job = submission.submit(client, ordered(clip, transport="path"))
        assert list(job.events())
        link, pipe, folder = (clip.alpha_file(frame) for frame in clip.numbers)
        for alpha in (link, pipe, folder):
            alpha.unlink()
        link.symlink_to(secret)
        os.mkfifo(pipe)
        folder.mkdir()
        for frame, kind in zip(clip.numbers, (NotPermitted, BadInput, BadInput), strict=True):
            with pytest.raises(kind, match=r"outside the server's roots|cannot be read"):
                client.fetch_alpha(job.job, frame)


def test_an_alpha_is_not_fetched_through_a_folder_that_became_a_link(rooted, make_clip, tmp_path):
    server, root = rooted
    clip = moved(make_clip(count=1), root)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / clip.alpha_file(1001).name).write_bytes(b"secret")
    with server.client() as client:
        job = submission.submit(client, ordered(clip, transport="path"))
        assert list(job.events())
        shutil.rmtree(clip.folder / "out")
        (clip.folder / "out").symlink_to(elsewhere)
        with pytest.raises(NotPermitted, match="outside the server's roots"):
            client.fetch_alpha(job.job, 1001)


@pytest.mark.parametrize("inside", ["entries/ab", "sequences/mine", "spool", "memo", "holds", "folded"])
def test_an_output_among_the_servers_own_files_is_refused(server, make_clip, inside):
    clip = make_clip(count=1)
    out = server.cache_dir / inside / "alpha.####.exr"
    with server.client() as client, pytest.raises(NotPermitted, match="inside the server's cache"):
        list(client.events(client.submit(clip.order(out=str(out)))))
    assert not list(out.parent.glob("alpha*"))


def test_an_output_that_would_overwrite_another_frame_of_the_input_is_refused(server, make_clip):
    clip = make_clip(count=2, first=1)
    for frame in clip.numbers:
        clip.file("plate", frame).rename(clip.folder / f"a.{frame}.1.exr")
    before = (clip.folder / "a.2.1.exr").read_bytes()
    names = {"plate": clip.folder / "a.%01d.1.exr", "out": clip.folder / "a.2.%01d.exr"}  # the alpha of 1, plate 2
    request = clip.order(**{name: str(path) for name, path in names.items()}, frame_ranges="1")
    with server.client() as client, pytest.raises(BadInput, match="would overwrite the plate"):
        list(client.events(client.submit(request)))
    assert (clip.folder / "a.2.1.exr").read_bytes() == before


def test_overscan_that_grows_gives_the_same_region_by_path_and_inline(server, make_clip, forget, supplied):
    """Plates are sent for their headers and kept, so that none is sent twice."""
    clip = make_clip(count=3)
    for frame in clip.numbers:
        wider = 40 if frame > clip.first else 0
        geometry = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64 + wider, 48))
        plate = np.random.default_rng(frame).random((48, 64 + wider, 3))
        mask = np.zeros((48, 64 + wider), np.float32)
        mask[10:30, 44 : 64 + wider - 8] = 1
        frames.write_picture(clip.file("plate", frame), plate, geometry=geometry)
        frames.write_picture(clip.file("mask", frame), mask, ("A",), geometry=geometry)
    order = replace(ordered(clip), settings=replace(PASSTHROUGH, roi="auto"))
    with server.client() as client:
        by_path = sent(client, order)
        forget(server, clip)
        inline = sent(client, replace(order, transport="inline"))
    assert inline.roi == by_path.roi
    assert by_path.roi[0] + by_path.roi[2] > 64
    assert sorted(supplied) == sorted((role, frame) for role in ("mask", "plate") for frame in clip.numbers)
