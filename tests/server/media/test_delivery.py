import errno
import os
import socket
import stat
import subprocess
import sys
import time

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.cache import seal
from videomama_server.cache.entries import Cache, Look
from videomama_server.files import disk_space, file_copies
from videomama_server.media.delivery import ALPHA, COLOUR, Delivery, check_space
from videomama_server.media.frames import probe, read_mask, read_plate
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.sequences import parse

GEOMETRY = Geometry(Rect(0, 0, 60, 40), Rect(-2, -4, 64, 48), 2.0)


def alpha(seed=1):
    return np.random.default_rng(seed).random((48, 64), dtype=np.float32)


@pytest.fixture
def publish(tmp_path):
    cache = Cache(tmp_path / "cache")
    return lambda seed=1: cache.publish(f"{seed:040x}", alpha(seed), GEOMETRY)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "alphas"


def delivery(out, name="alpha.####.exr", layer="", dtype="", **more):
    made = Delivery(parse(str(out / name)), layer, dtype, **more)
    made.check()
    return made


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_entry_is_published_as_a_file_of_its_own(publish, out):
    entry = publish()
    target = delivery(out).deliver(entry, 1001)
    assert target == out / "alpha.1001.exr"
    assert target.read_bytes() == entry.read_bytes()
    assert (target.stat().st_nlink, entry.stat().st_nlink) == (1, 1)
    assert names_in(out) == ["alpha.1001.exr"]


@pytest.mark.parametrize("name", ["alpha.####_main.exr", "####-v2.EXR"])
def test_words_between_number_and_ending_change_nothing(publish, out, name):
    entry = publish()
    target = delivery(out, name).deliver(entry, 1001)
    assert target.read_bytes() == entry.read_bytes()
    before = target.stat()
    delivery(out, name).deliver(entry, 1001)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_up_to_date_copy_is_left_alone_though_it_was_touched(publish, out):
    entry = publish()
    target = delivery(out).deliver(entry, 1)
    os.utime(target, (5, 5))
    before = target.stat()
    delivery(out).deliver(entry, 1)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_older_entry_comes_as_a_newer_file(publish, out):
    """A host that looks for newer files shows it."""
    older = publish(1)
    os.utime(older, (1000, 1000))
    target = delivery(out).deliver(publish(2), 1)
    made = time.time() - 60
    os.utime(target, (made,) * 2)
    delivery(out).deliver(older, 1)
    assert target.stat().st_mtime > made


@pytest.fixture(params=["own disk", "tmpfs", "xfs", "btrfs"])
def any_disk(request, tmp_path):
    """A folder on a disk with reflinks, or without."""
    if request.param == "own disk":
        return tmp_path
    if request.param == "tmpfs":
        return request.getfixturevalue("small_disk")(4096)
    return request.getfixturevalue("make_reflink_disk")(request.param)


def overwrite(path):
    """Write over a file as a tool does that keeps its size, and date it back."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"\0" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path):
    with path.open("w"):
        pass


HARMS = {
    "overwritten": overwrite,
    "truncated": truncate,
    "appended to": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "made read-only": lambda path: path.chmod(0o444),
    "deleted": lambda path: path.unlink(),
    "replaced by a link": lambda path: (path.unlink(), path.symlink_to(path.parent.parent / "v001" / path.name)),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_happens_to_one_delivery_happens_to_no_other(any_disk, harm):
    """Two versions and another shot of the same pixels, and the entry they come from."""
    cache = Cache(any_disk / "cache")
    entry = cache.publish(f"{1:040x}", alpha(), GEOMETRY)
    made = {name: delivery(any_disk / name) for name in ("v001", "v002", "shot2")}
    files = {name: each.deliver(entry, 1001) for name, each in made.items()}
    whole = entry.read_bytes()
    others = [entry, files["v001"], files["shot2"]]
    before = [(path.stat().st_mode, path.stat().st_mtime_ns) for path in others]
    harm(files["v002"])
    for again in (False, True):
        assert [path.read_bytes() for path in others] == [whole] * 3
        assert [(path.stat().st_mode, path.stat().st_mtime_ns) for path in others] == before
        assert seal.matches(entry)
        assert not again or files["v002"].read_bytes() == whole
        made["v002"].deliver(entry, 1001)
    assert files["v002"].stat().st_nlink == 1
    assert not files["v002"].is_symlink()


def test_links_of_an_earlier_version_are_taken_apart(publish, out):
    entry = publish()
    linked = delivery(out, link=True).deliver(entry, 1)
    other = delivery(out, "other.####.exr", link=True).deliver(entry, 1)
    assert linked.samefile(other)
    target = delivery(out).deliver(entry, 1)
    overwrite(target)
    assert other.read_bytes() == entry.read_bytes()
    assert seal.matches(entry)


def test_a_link_is_made_where_the_config_asks_for_it_and_left_alone(publish, out):
    entry, heard = publish(), []
    made = delivery(out, link=True, published=lambda path, written: heard.append((path.name, written)))
    target = made.deliver(entry, 1)
    assert target.samefile(entry)
    made.deliver(entry, 1)
    assert heard == [("alpha.0001.exr", True), ("alpha.0001.exr", False)]
    assert names_in(out) == ["alpha.0001.exr"]


def test_a_link_that_another_job_made_meanwhile_leaves_nothing_behind(publish, out, monkeypatch):
    entry, made = publish(), delivery(out, link=True)
    real = os.link

    def twice(source, target):
        real(source, out / "alpha.0001.exr")
        real(source, target)

    monkeypatch.setattr(os, "link", twice)
    made.deliver(entry, 1)
    assert names_in(out) == ["alpha.0001.exr"]


def test_who_asked_hears_what_was_written_and_what_was_left_alone(publish, out):
    entry, heard = publish(), []
    made = delivery(out, published=lambda path, written: heard.append((path.name, written)))
    for number in (1, 1, 2):
        made.deliver(entry, number)
    assert heard == [("alpha.0001.exr", True), ("alpha.0001.exr", False), ("alpha.0002.exr", True)]


def test_an_older_alpha_is_replaced(publish, out):
    delivery(out).deliver(publish(1), 1)
    target = delivery(out).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(target).pixels[..., 0], alpha(2))


@pytest.mark.parametrize("link", [False, True])
def test_replacing_a_link_leaves_the_older_entry_alone(publish, out, link):
    first = publish(1)
    delivery(out, link=True).deliver(first, 1)
    delivery(out, link=link).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(first).pixels[..., 0], alpha(1))


def refuse_links(*_):
    raise OSError(18, "Invalid cross-device link")


def test_where_links_are_impossible_a_copy_is_made_once(publish, out, monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    entry = publish()
    target = delivery(out, link=True).deliver(entry, 1)
    assert not target.samefile(entry)
    assert target.read_bytes() == entry.read_bytes()
    inode = target.stat().st_ino
    delivery(out, link=True).deliver(entry, 1)
    assert target.stat().st_ino == inode
    delivery(out, link=True).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(target).pixels[..., 0], alpha(2))


@pytest.mark.parametrize("link", [False, True])
def test_another_disk_gets_copies(publish, small_disk, link):
    entry = publish()
    target = delivery(small_disk(512), link=link).deliver(entry, 1)
    assert target.read_bytes() == entry.read_bytes()


def test_a_full_disk_is_an_error_and_leaves_nothing(publish, small_disk):
    folder = small_disk(8)
    with pytest.raises(OSError, match="No space"):
        delivery(folder).deliver(publish(), 1)
    assert names_in(folder) == []


def test_a_disk_that_became_read_only_is_an_error_and_keeps_what_is_there(publish, small_disk, make_read_only):
    folder = small_disk(512)
    made = delivery(folder)
    target = made.deliver(publish(1), 1)
    before = target.read_bytes()
    make_read_only(folder)
    assert made.deliver(publish(1), 1) == target  # it is up to date
    with pytest.raises(OSError, match="Read-only") as raised:
        made.deliver(publish(2), 1)
    assert raised.value.errno == errno.EROFS
    assert target.read_bytes() == before
    assert names_in(folder) == [target.name]


def test_the_folder_is_made_again_when_it_was_swept_away(publish, out):
    made = delivery(out)
    out.rmdir()
    assert made.deliver(publish(), 1).exists()


@pytest.mark.parametrize(
    ("name", "dtype", "error", "channel"),
    [
        ("a.####.exr", "half", 2**-12, "A"),
        ("a.####.png", "", 1 / 65535, "Y"),
        ("a.####.tif", "", 0, "Y"),
        ("a.####.tiff", "uint16", 1 / 65535, "Y"),
        ("a.####.dpx", "", 1 / 65535, "Y"),
    ],
)
def test_other_formats_and_types_are_converted(publish, out, name, dtype, error, channel):
    target = delivery(out, name, dtype=dtype).deliver(publish(), 7)
    assert probe(target).channel_names == channel
    read = read_mask(target).pixels[..., 0]
    np.testing.assert_allclose(read, alpha(), rtol=0, atol=error)
    assert names_in(out) == [target.name]


@pytest.mark.parametrize("dtype", ["", "half"])
def test_a_layer_is_named_in_the_channel(publish, out, dtype):
    target = delivery(out, layer="roto", dtype=dtype).deliver(publish(), 7)
    assert probe(target).channel_names == "roto.A"
    assert probe(target).geometries == (GEOMETRY,)
    assert read_mask(target, "roto.A").pixels.shape == (48, 64, 1)


def test_conversion_keeps_geometry(publish, out):
    assert probe(delivery(out, dtype="half").deliver(publish(), 7)).geometries == (GEOMETRY,)


def test_check_names_a_folder_that_may_not_be_written(out, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", refuse)  # root may write anywhere
    delivery = Delivery(parse(str(out / "a.####.exr")))
    with pytest.raises(NotPermitted, match="Choose another folder, or make it writable") as caught:
        delivery.check()
    assert caught.value.file == str(out)


def test_check_makes_the_folder_and_leaves_it_empty(out):
    delivery(out)
    assert names_in(out) == []


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.####.jpg", ""), ("a.####", ""), ("a.####.png", "float"), ("a.####.exr", "uint16"), ("a.exr", "x")],
)
def test_a_format_that_cannot_hold_the_type_is_refused_before_any_work(out, name, dtype, raises_with_hint):
    with raises_with_hint(BadInput):
        delivery(out, name, dtype=dtype)
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_not_permitted(tmp_path, raises_with_hint):
    (tmp_path / "file").touch()
    with raises_with_hint(NotPermitted, tmp_path / "file" / "out"):
        delivery(tmp_path / "file" / "out")


def test_a_folder_that_cannot_be_written_is_not_permitted(small_disk, make_read_only, raises_with_hint):
    folder = small_disk(64)
    make_read_only(folder)
    with raises_with_hint(NotPermitted, folder):
        delivery(folder)


def test_an_interrupted_copy_leaves_nothing_and_keeps_what_was_there(publish, out, monkeypatch):
    def interrupted(source, target):
        target.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    target = delivery(out).deliver(publish(1), 1)
    before = target.read_bytes()
    monkeypatch.setattr(file_copies, "copy", interrupted)
    with pytest.raises(OSError, match="No space"):
        delivery(out).deliver(publish(2), 1)
    assert names_in(out) == [target.name]
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("tail", "layer", "dtype", "said"),
    [
        (".png", "", "float", "cannot hold float"),
        (".png", "", "uint8", "cannot hold uint8"),
        (".tif", "fg", "", "layers"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_the_output_named(
    tmp_path, raises_with_hint, tail, layer, dtype, said
):
    out = tmp_path / f"alpha.####{tail}"
    with raises_with_hint(BadInput, said, out):
        Delivery(parse(str(out)), layer, dtype).check()


def test_check_sweeps_what_a_killed_process_was_writing(out):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    out.mkdir(parents=True)
    left = out / f".videomama-{socket.gethostname()}~{int(dead.stdout)}~0123.exr"
    left.touch()
    os.utime(left, (time.time() - 100,) * 2)
    delivery(out)
    assert names_in(out) == []


@pytest.mark.parametrize("asked", [{}, {"dtype": "half"}], ids=["copied", "converted"])
def test_what_is_not_linked_is_made_durable(publish, out, monkeypatch, asked):
    synced = []
    entry, made = publish(), delivery(out, **asked)
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(names_in(out)))
    made.deliver(entry, 1)
    assert len(synced) == 1
    assert "alpha.0001.exr" not in synced[0]


def test_an_entry_that_is_gone_is_said_to_be(publish, out):
    entry = publish()
    entry.unlink()
    with pytest.raises(FileNotFoundError):
        delivery(out).deliver(entry, 1)


def test_a_file_has_the_mode_of_any_new_file_whatever_its_entry_has(publish, out):
    entry = publish()
    entry.chmod(0o600)
    target = delivery(out).deliver(entry, 1)
    (out / "new").touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((out / "new").stat().st_mode)


SIZE = (4096, 3112)


def test_a_job_that_cannot_fit_is_refused_and_says_how_much_it_needs(small_disk, raises_with_hint):
    folder = small_disk(64)
    with raises_with_hint(NotPermitted, folder, "65.5 kB free", "needs at least 4.9 MB"):
        check_space([delivery(folder)], range(1, 101), SIZE)


def test_a_job_that_may_not_fit_is_a_warning_and_frames_that_are_there_need_nothing(small_disk):
    made = delivery(small_disk(8192))
    assert "may need 102.0 MB" in check_space([made], range(1, 11), SIZE)
    for number in range(1, 10):
        made.pattern.path(number).touch()
    assert "may need 10.2 MB" in check_space([made], range(1, 11), SIZE)
    made.pattern.path(10).touch()
    assert check_space([made], range(1, 11), SIZE) == ""


def test_a_disk_with_space_is_no_warning(out):
    assert check_space([delivery(out)], range(1, 11), SIZE) == ""


@pytest.fixture
def nothing_free(monkeypatch):
    monkeypatch.setattr(disk_space, "free", lambda _: 0)


@pytest.mark.usefixtures("nothing_free")
def test_what_shares_blocks_with_the_cache_needs_no_space(reflink_disk, raises_with_hint):
    made = delivery(reflink_disk / "out", entries=reflink_disk)
    assert check_space([made], range(1, 101), SIZE) == ""
    assert names_in(reflink_disk / "out") == []
    with raises_with_hint(NotPermitted, "free"):
        check_space([delivery(reflink_disk / "half", dtype="half", entries=reflink_disk)], range(1, 101), SIZE)


@pytest.mark.usefixtures("nothing_free")
def test_what_is_linked_needs_no_space_unless_it_is_on_another_disk(small_disk, tmp_path, raises_with_hint):
    disk = small_disk(512)
    assert check_space([delivery(disk / "out", link=True, entries=disk)], range(1, 101), SIZE) == ""
    for asked in ({"link": False, "entries": disk}, {"link": True, "entries": tmp_path}, {"link": True}):
        with raises_with_hint(NotPermitted, "free"):
            check_space([delivery(disk / "out", **asked)], range(1, 101), SIZE)


@pytest.mark.usefixtures("nothing_free")
def test_a_folder_that_was_swept_away_is_not_in_the_way_of_the_look_at_its_disk(out, raises_with_hint):
    made = delivery(out)
    out.rmdir()
    with raises_with_hint(NotPermitted, out):
        check_space([made], range(1, 101), SIZE)


@pytest.fixture
def publish_colour(tmp_path):
    """Put a colour (H, W, 3) into a cache, and return its pixels and its entry."""
    cache = Cache(tmp_path / "cache")

    def publish(dtype):
        colour = np.random.default_rng(3).random((48, 64, 3), dtype=np.float32).astype(np.float16).astype(np.float32)
        look = Look(COLOUR.channels, dtype, {"Software": "VideoMaMa"})
        return colour, cache.publish(f"{7:040x}", colour, GEOMETRY, look)

    return publish


@pytest.mark.parametrize(
    ("name", "dtype", "written"),
    [("fg.####.exr", "", "half"), ("fg.####.exr", "float", "float"), ("fg.####.tif", "", "float")],
)
def test_colour_has_three_channels_and_the_pixel_type_that_is_asked_for(publish_colour, out, name, dtype, written):
    made = delivery(out, name, "", dtype, content=COLOUR)
    assert made.pixel_type == written
    colour, entry = publish_colour(written)
    target = made.saying({"Software": "VideoMaMa"}).deliver(entry, 1001)
    np.testing.assert_array_equal(read_plate(target).pixels, colour)
    assert (target.read_bytes() == entry.read_bytes()) == name.endswith(".exr")
    source = oiio.ImageInput.open(str(target))
    spec = source.spec()
    source.close()
    assert (str(spec.format), spec.channelnames, spec["Software"]) == (written, ("R", "G", "B"), "VideoMaMa")
    assert probe(target).geometries[0].pixel_aspect == GEOMETRY.pixel_aspect or name.endswith(".tif")


@pytest.mark.parametrize(
    ("name", "dtype", "said"),
    [
        ("fg.####.png", "", "cannot write foreground colour to"),
        ("fg.####.dpx", "", "cannot write foreground colour to"),
        ("fg.####.tif", "uint16", "foreground colour cannot be uint16"),
    ],
)
def test_colour_is_written_only_where_scene_values_fit(out, name, dtype, said, raises_with_hint):
    with raises_with_hint(BadInput, said):
        delivery(out, name, "", dtype, content=COLOUR)


def test_results_on_one_disk_are_counted_together(small_disk, raises_with_hint):
    disk = small_disk(4096)
    alphas, colour = delivery(disk / "a"), delivery(disk / "b", "fg.####.exr", content=COLOUR)
    alone = [check_space([one], range(1, 11), SIZE) for one in (alphas, colour)]
    assert ["102.0 MB" in alone[0], "382.4 MB" in alone[1]] == [True, True]
    assert "may need 484.4 MB" in check_space([alphas, colour], range(1, 11), SIZE)
    with raises_with_hint(NotPermitted, "needs at least"):
        check_space([alphas, colour], range(1, 80), SIZE)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Delivery) == {"link": False}


def test_layers_are_written_as_one_file_with_the_windows_of_their_entries(out, publish, tmp_path):
    made = delivery(out, layers=("hero", "dog"), dtype="half")
    path = made.deliver_layers({"hero": publish(1), "dog": publish(2)}, 7)
    header = probe(path)
    assert sorted(channel.name for channel in header.channels) == ["dog.A", "hero.A"]
    assert header.geometries[0] == GEOMETRY
    for name, seed in (("hero", 1), ("dog", 2)):
        np.testing.assert_allclose(read_mask(path, f"{name}.A").pixels[..., 0], alpha(seed), atol=1e-3)
    with pytest.raises(BadInput, match="no channel to take as mask"):
        read_mask(path)  # which of them, nobody can know


def test_a_layered_file_that_cannot_be_written_leaves_nothing(out, publish, tmp_path):
    made = delivery(out, layers=("hero", "dog"))
    broken = tmp_path / "broken.exr"
    broken.write_bytes(b"no picture")
    with pytest.raises(BadInput):
        made.deliver_layers({"hero": publish(1), "dog": broken}, 7)
    assert names_in(out) == []


@pytest.mark.parametrize("name", ["a.####.png", "a.####.tif", "a.####.dpx"])
def test_layers_need_a_format_that_has_some(out, name):
    with pytest.raises(BadInput, match="has no layers for the objects"):
        delivery(out, name, layers=("hero", "dog"))


def test_the_space_of_all_layers_and_of_all_objects_is_asked_for(out, monkeypatch):
    size, frames = (1920, 1080), range(1, 101)
    one = disk_space.needed(".exr", "float", size, 100).usual
    monkeypatch.setattr(disk_space, "free", lambda _: 2 * one)
    assert check_space([delivery(out)], frames, size) == ""
    layered = delivery(out, layers=("hero", "dog"))
    assert check_space([layered], frames, size) == ""
    three = delivery(out, layers=("hero", "dog", "cat"))
    assert "may need" in check_space([three], frames, size)
    others = [delivery(out, f"{name}.####.exr") for name in ("dog", "cat")]
    assert check_space([delivery(out, "hero.####.exr"), *others[:1]], frames, size) == ""
    assert "may need" in check_space([delivery(out, "hero.####.exr"), *others], frames, size)


def test_a_file_that_was_converted_counts_as_written(publish, out):
    heard = []
    entry = publish()
    made = delivery(out, dtype="half", published=lambda path, written: heard.append((path.name, written)))
    for _ in range(2):
        made.deliver(entry, 1001)
    assert heard == [("alpha.1001.exr", True)] * 2


@pytest.mark.parametrize(
    ("content", "name", "said", "hint"),
    [
        (ALPHA, "a.####.jpg", "cannot write alphas to {}", "Use .dpx, .exr, .png, .tif, .tiff."),
        (
            COLOUR,
            "a.####.png",
            "cannot write foreground colour to {}",
            "Use .exr, .tif, .tiff: it is scene-linear.",
        ),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_those_that_can(out, content, name, said, hint):
    with pytest.raises(BadInput) as raised:
        delivery(out, name, content=content)
    assert raised.value.message == said.format(out / name)
    assert raised.value.hint == hint


@pytest.mark.parametrize(
    ("content", "name", "dtype", "said"),
    [
        (ALPHA, "a.####.png", "half", ".png cannot hold half"),
        (COLOUR, "a.####.exr", "uint16", "foreground colour cannot be uint16"),
    ],
)
def test_a_number_format_that_does_not_fit_is_refused_with_the_reason(out, content, name, dtype, said):
    with pytest.raises(BadInput, match=said):
        delivery(out, name, dtype=dtype, content=content)


def soft_picture(channels):
    rng = np.random.default_rng(5)
    return np.ascontiguousarray(
        rng.random((48, 64, channels), np.float32) * 0.2 + np.linspace(0, 0.8, 64)[:, None]
    ).astype(np.float32)


@pytest.mark.parametrize("name", ["zip", "zips", "piz", "none", "dwaa", "dwaa:45"])
def test_an_alpha_keeps_every_value_in_any_compression(tmp_path, name):
    alpha = soft_picture(1)[..., 0]
    cache = Cache(tmp_path / "cache")
    entry = cache.publish("ab" * 16, alpha, Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48)))
    delivery = Delivery(parse(str(tmp_path / "out" / "a.####.exr")), compression=name)
    delivery.check()
    file = delivery.deliver(entry, 1001)
    assert oiio.ImageInput.open(str(file)).spec()["compression"] == name.partition(":")[0]
    assert np.array_equal(read_mask(file).pixels[..., 0], alpha)


def test_without_a_choice_files_are_zipped_as_the_entries_are(tmp_path):
    cache = Cache(tmp_path / "cache")
    entry = cache.publish("ab" * 16, soft_picture(1)[..., 0], Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48)))
    file = Delivery(parse(str(tmp_path / "out" / "a.####.exr"))).deliver(entry, 1001)
    assert oiio.ImageInput.open(str(file)).spec()["compression"] == "zip"
    assert file.read_bytes() == entry.read_bytes()


@pytest.mark.parametrize(("name", "bound"), [("dwaa:10", 0.01), ("dwaa:45", 0.03), ("piz", 0.0)])
def test_colour_in_dwaa_is_within_a_bound_that_the_level_sets(tmp_path, name, bound):
    colour = soft_picture(3)
    look = Look(("R", "G", "B"), "half")
    cache = Cache(tmp_path / "cache")
    entry = cache.publish("ab" * 16, colour, Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48)), look)
    delivery = Delivery(parse(str(tmp_path / "out" / "fg.####.exr")), content=COLOUR, compression=name)
    file = delivery.deliver(entry, 1001)
    assert np.abs(read_plate(file).pixels - read_plate(entry).pixels).max() <= bound


@pytest.mark.parametrize(
    ("out", "name", "sentence"),
    [
        ("a.####.exr", "zap", "'zap' is not a valid compression"),
        ("a.####.exr", "zip:3", "'zip:3' is not a valid compression"),
        ("a.####.exr", "dwaa:0", "'dwaa:0' is not a valid compression"),
        ("a.####.png", "piz", ".png has no choice of compression"),
    ],
)
def test_a_compression_that_cannot_be_is_refused(tmp_path, out, name, sentence):
    with pytest.raises(BadInput) as raised:
        Delivery(parse(str(tmp_path / out)), compression=name).check()
    assert sentence in raised.value.message
