import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.cache import Cache
from videomama_server.delivery import Delivery
from videomama_server.frames import probe, read_mask
from videomama_server.geometry import Geometry, Rect
from videomama_server.sequences import parse

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


def delivery(out, name="alpha.####.exr", layer="", dtype=""):
    made = Delivery(parse(str(out / name)), layer, dtype)
    made.check()
    return made


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_entry_is_published_by_hard_link(publish, out):
    entry = publish()
    target = delivery(out).deliver(entry, 1001)
    assert target == out / "alpha.1001.exr"
    assert target.samefile(entry)
    assert names_in(out) == ["alpha.1001.exr"]


def test_an_up_to_date_link_is_left_alone(publish, out):
    entry = publish()
    target = delivery(out).deliver(entry, 1)
    os.utime(out, (0, 0))
    delivery(out).deliver(entry, 1)
    assert target.samefile(entry)


def test_an_older_alpha_is_replaced(publish, out):
    delivery(out).deliver(publish(1), 1)
    target = delivery(out).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(target).pixels[..., 0], alpha(2))


def test_replacing_a_link_leaves_the_older_entry_alone(publish, out):
    first = publish(1)
    delivery(out).deliver(first, 1)
    delivery(out).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(first).pixels[..., 0], alpha(1))


def refuse_links(*_):
    raise OSError(18, "Invalid cross-device link")


def test_where_links_are_impossible_a_copy_is_made_once(publish, out, monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    entry = publish()
    target = delivery(out).deliver(entry, 1)
    assert not target.samefile(entry)
    assert target.read_bytes() == entry.read_bytes()
    inode = target.stat().st_ino
    delivery(out).deliver(entry, 1)
    assert target.stat().st_ino == inode
    delivery(out).deliver(publish(2), 1)
    np.testing.assert_array_equal(read_mask(target).pixels[..., 0], alpha(2))


def test_another_disk_gets_copies(publish, small_disk):
    entry = publish()
    target = delivery(small_disk(512)).deliver(entry, 1)
    assert target.read_bytes() == entry.read_bytes()


def test_a_full_disk_is_an_error_and_leaves_nothing(publish, small_disk):
    folder = small_disk(8)
    with pytest.raises(OSError, match="No space"):
        delivery(folder).deliver(publish(), 1)
    assert names_in(folder) == []


def test_a_copy_that_was_damaged_is_replaced(publish, out, monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    entry = publish()
    target = delivery(out).deliver(entry, 1)
    target.write_bytes(b"\0" * target.stat().st_size)
    delivery(out).deliver(entry, 1)
    assert target.read_bytes() == entry.read_bytes()


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


def test_an_interrupted_copy_leaves_nothing(publish, out, monkeypatch):
    def interrupted(source, target):
        target.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", refuse_links)
    monkeypatch.setattr(shutil, "copy2", interrupted)
    with pytest.raises(OSError, match="No space"):
        delivery(out).deliver(publish(), 1)
    assert names_in(out) == []


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
    monkeypatch.setattr(os, "link", refuse_links)
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(names_in(out)))
    made.deliver(entry, 1)
    assert len(synced) == 1
    assert "alpha.0001.exr" not in synced[0]


def test_an_entry_that_is_gone_is_said_to_be(publish, out):
    entry = publish()
    entry.unlink()
    with pytest.raises(FileNotFoundError):
        delivery(out).deliver(entry, 1)
