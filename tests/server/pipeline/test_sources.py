import threading

import pytest
from videomama_client.errors import BadInput, Cancelled, InternalError, NotPermitted
from videomama_server.cache import spool as spooling
from videomama_server.cache.memo import FileId, Stamp
from videomama_server.pipeline.sources import AlphaLost, DiskSource, EntrySource, NoMasks, SpoolSource, by_frame


@pytest.fixture
def shot(make_shot):
    return make_shot([1001, 1002])


@pytest.fixture
def asked():
    return []


@pytest.fixture
def spool(tmp_path, asked):
    files = spooling.pattern(tmp_path, "plate", "/client/p.####.exr")
    return SpoolSource(
        "plate", files, {1: "d1", 2: "d2"}, lambda role, frame: asked.append((role, frame)), threading.Event()
    )


def test_a_disk_source_finds_its_frames(shot):
    source = DiskSource("plate", shot.plate, ())
    assert list(source.frames()) == [1001, 1002]
    assert source.path(1002) == shot.plate_file(1002)
    assert source.identify(1002) == FileId.of(shot.plate_file(1002))
    source.release(1002)
    assert shot.plate_file(1002).exists()


def test_a_disk_source_without_frames_is_an_error_that_names_the_role(tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, "mask", tmp_path / "none.####.exr"):
        DiskSource("mask", str(tmp_path / "none.####.exr"), ())


def test_a_folder_outside_the_roots_is_refused_before_it_is_looked_at(shot, tmp_path, raises_with_hint):
    with raises_with_hint(NotPermitted, tmp_path / "none"):
        DiskSource("plate", str(tmp_path / "none" / "p.####.exr"), (shot.folder.resolve(),))


def test_a_relative_pattern_is_refused(raises_with_hint):
    with raises_with_hint(NotPermitted):
        DiskSource("plate", "p.####.exr", ())


def test_a_frame_that_is_a_link_out_of_the_roots_is_refused(shot, tmp_path, raises_with_hint):
    secret = tmp_path / "secret.exr"
    secret.touch()
    shot.plate_file(1002).unlink()
    shot.plate_file(1002).symlink_to(secret)
    source = DiskSource("plate", shot.plate, (shot.folder.resolve(),))
    assert source.path(1001) == shot.plate_file(1001)
    with raises_with_hint(NotPermitted, shot.plate_file(1002)):
        source.path(1002)


def test_a_frame_that_vanished_is_an_error_that_names_it(shot, raises_with_hint):
    source = DiskSource("plate", shot.plate, ())
    shot.plate_file(1002).unlink()
    with raises_with_hint(BadInput, "plate frame 1002", shot.plate_file(1002)):
        source.identify(1002)


def test_a_frame_that_may_not_be_looked_at_is_not_permitted(shot, monkeypatch, raises_with_hint):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    source = DiskSource("plate", shot.plate, ())
    monkeypatch.setattr(Stamp, "of", refuse)
    with raises_with_hint(NotPermitted, "plate frame 1002", shot.plate_file(1002)):
        source.identify(1002)


def test_the_spool_keeps_the_clients_file_ending_and_negative_frames(tmp_path):
    files = spooling.pattern(tmp_path, "mask", "/client/roto_%04d.png")
    assert files.path(7) == tmp_path / "mask.0007.png"
    assert files.path(-7) == tmp_path / f"mask.{str(-7).zfill(4)}.png"


def test_a_spooled_frame_is_known_by_its_content(spool):
    assert list(spool.frames()) == [1, 2]
    assert spool.identify(1) == spool.identify(1)
    assert spool.identify(1) != spool.identify(2)
    assert spool.identify(1).stamp.settled


def test_a_spooled_frame_is_asked_for_once_and_waited_for(spool, asked, tmp_path, eventually):
    waiting = [threading.Thread(target=spool.path, args=(1,)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    eventually(lambda: asked, "it is asked for")
    spool.supplied(1)
    for thread in waiting:
        thread.join(60)
        assert not thread.is_alive()
    assert asked == [("plate", 1)]
    assert spool.path(1) == tmp_path / "plate.0001.exr"


def test_a_released_frame_is_deleted_and_asked_for_again(spool, asked, tmp_path, eventually):
    spool.supplied(1)
    (tmp_path / "plate.0001.exr").touch()
    spool.path(1)
    spool.release(1)
    assert not (tmp_path / "plate.0001.exr").exists()
    spool.release(2)
    waiting = threading.Thread(target=spool.path, args=(1,))
    waiting.start()
    eventually(lambda: asked, "it is asked for again")
    spool.supplied(1)
    waiting.join(60)
    assert asked == [("plate", 1)]


def test_waiting_ends_when_the_job_is_cancelled(tmp_path, raises_with_hint):
    cancelled = threading.Event()
    files = spooling.pattern(tmp_path, "plate", "p.####.exr")
    spool = SpoolSource("plate", files, {1: "d"}, lambda *_: cancelled.set(), cancelled)
    with pytest.raises(Cancelled):
        spool.path(1)


def test_frames_pair_up_with_digests():
    assert by_frame([3, 1], ["c", "a"]) == {3: "c", 1: "a"}


@pytest.mark.parametrize(("numbers", "digests"), [([], []), ([1], []), ([1], ["a", "b"]), ([1, 1], ["a", "b"])])
def test_frames_that_do_not_pair_up_are_an_error(numbers, digests, raises_with_hint):
    with raises_with_hint(BadInput):
        by_frame(numbers, digests)


def test_a_frame_that_is_a_link_out_of_the_roots_is_not_known_either(shot, tmp_path, raises_with_hint):
    secret = tmp_path / "secret.exr"
    secret.touch()
    shot.plate_file(1002).unlink()
    shot.plate_file(1002).symlink_to(secret)
    source = DiskSource("plate", shot.plate, (shot.folder.resolve(),))
    with raises_with_hint(NotPermitted, shot.plate_file(1002)):  # the memo may know its pixels
        source.identify(1002)


def test_the_file_of_a_link_is_named_itself_so_that_the_link_may_change(shot):
    real = shot.folder / "real.exr"
    shot.plate_file(1002).rename(real)
    shot.plate_file(1002).symlink_to(real)
    assert DiskSource("plate", shot.plate, ()).path(1002) == real


def test_the_frames_own_name_says_their_format(shot, spool):
    assert DiskSource("plate", shot.plate, ()).suffix == ".exr"
    assert spool.suffix == ".exr"


def test_a_link_to_nowhere_says_so(shot, raises_with_hint):
    shot.plate_file(1002).unlink()
    shot.plate_file(1002).symlink_to("/nowhere/p.exr")
    source = DiskSource("plate", shot.plate, ())
    with raises_with_hint(BadInput, "plate frame 1002: ", "is a link to /nowhere/p.exr, which does not exist"):
        source.identify(1002)


def test_a_link_to_a_folder_outside_the_roots_is_not_listed(shot, tmp_path, raises_with_hint):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "embargo.1001.exr").touch()
    (shot.folder / "plate").symlink_to(secret)
    with pytest.raises(NotPermitted) as raised:
        DiskSource("plate", str(shot.folder / "plate"), (shot.folder.resolve(),))
    assert "embargo" not in str(raised.value)


def test_a_link_that_leads_in_a_circle_is_named_as_a_dead_one(shot, raises_with_hint):
    source = DiskSource("plate", shot.plate, ())
    path = shot.plate_file(1002)
    path.unlink()
    path.symlink_to(path.name)
    with raises_with_hint(BadInput, f"plate frame 1002: {path} is a link to {path.name}"):
        source.identify(1002)


def test_the_alphas_of_a_stage_are_known_by_their_keys(tmp_path, raises_with_hint):
    there = {"aa": tmp_path / "aa.exr"}
    source = EntrySource("stage 1, classic", {1001: "aa", 1002: "bb"}, there.get)
    assert list(source.frames()) == [1001, 1002]
    assert source.digest(1002) == "bb"
    assert source.identify(1001) != source.identify(1002)
    assert source.path(1001) == tmp_path / "aa.exr"
    with raises_with_hint(AlphaLost, "the alphas of stage 1, classic", "frame 1002"):
        source.path(1002)


def test_only_pixels_tell_what_files_hold(shot, spool):
    assert DiskSource("plate", shot.plate, ()).digest(1001) is None
    assert spool.digest(1) is None


def test_a_job_without_masks_has_one_of_nothing_on_each_frame(shot):
    source = NoMasks(DiskSource("plate", shot.plate, ()))
    assert list(source.frames()) == [1001, 1002]
    assert source.digest(1001) == source.digest(1002) == "no mask"
    assert source.identify(1001) == source.identify(1002)
    with pytest.raises(InternalError, match="no masks"):
        source.path(1001)
