import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import OpenImageIO
import pytest
from videomama_server.media.delivery import Delivery
from videomama_server.media.frames import probe, read_mask, write_picture
from videomama_server.media.sequences import parse
from videomama_server.pipeline.object_layers import ObjectLayers
from videomama_server.pipeline.sources import AlphaLost

NAMES = ("hero", "dog", "cat")


@pytest.fixture
def entry(tmp_path):
    """Make entries of a value: `entry(0.5)`."""

    def make(value):
        path = tmp_path / f"{value}.exr"
        write_picture(path, np.full((16, 24), value, np.float32), ("A",), "float")
        return path

    return make


@pytest.fixture
def layers(tmp_path):
    delivery = Delivery(parse(str(tmp_path / "out" / "a.####.exr")), layers=NAMES)
    delivery.check()
    return ObjectLayers(delivery, NAMES)


def test_a_file_is_written_once_all_objects_have_the_frame_and_has_all_of_them(layers, entry, tmp_path):
    assert layers.add("dog", 1, entry(0.25), True, {}) is None
    assert layers.add("hero", 1, entry(0.5), True, {}) is None
    assert layers.add("hero", 2, entry(0.5), True, {}) is None
    assert not list((tmp_path / "out").iterdir())
    whole = layers.add("cat", 1, entry(0.75), True, {})
    assert (whole.path, whole.cached) == (tmp_path / "out" / "a.0001.exr", True)
    found = {name: float(read_mask(whole.path, f"{name}.A").pixels.max()) for name in NAMES}
    assert found == {"hero": 0.5, "dog": 0.25, "cat": 0.75}
    assert {channel.name for channel in probe(whole.path).channels} == {f"{name}.A" for name in NAMES}


def test_a_frame_is_cached_where_all_of_its_alphas_are(layers, entry):
    layers.add("hero", 1, entry(0.5), True, {})
    layers.add("dog", 1, entry(0.5), False, {})
    assert not layers.add("cat", 1, entry(0.5), True, {}).cached


def test_an_alpha_that_comes_again_writes_no_file_again(layers, entry):
    for name in NAMES:
        whole = layers.add(name, 1, entry(0.5), True, {})
    written = whole.path.stat().st_mtime_ns
    for name in NAMES:
        assert layers.add(name, 1, entry(0.5), True, {}) is None
    assert whole.path.stat().st_mtime_ns == written


def test_an_entry_that_is_gone_is_lost_and_the_frame_is_begun_again(layers, entry):
    lost = entry(0.25)
    layers.add("hero", 1, lost, True, {})
    layers.add("dog", 1, entry(0.5), True, {})
    lost.unlink()
    with pytest.raises(AlphaLost, match="object hero") as told:
        layers.add("cat", 1, entry(0.75), True, {})
    assert (told.value.object, told.value.frame) == ("hero", 1)
    entry(0.25)
    assert layers.add("hero", 1, lost, False, {}) is None
    assert layers.add("dog", 1, entry(0.5), True, {}) is None
    assert layers.add("cat", 1, entry(0.75), True, {}) is not None


def test_an_entry_that_is_damaged_meanwhile_is_lost(layers, entry, tmp_path):
    damaged = entry(0.25)
    layers.add("hero", 1, damaged, True, {})
    layers.add("dog", 1, entry(0.5), True, {})
    damaged.write_bytes(b"no picture")
    with pytest.raises(AlphaLost, match="an alpha of frame 1 was removed or damaged"):
        layers.add("cat", 1, entry(0.75), True, {})
    assert not list((tmp_path / "out").iterdir())


def test_one_of_several_threads_writes_the_file(layers, entry):
    paths = {name: entry(0.5) for name in NAMES}
    begin = threading.Barrier(len(NAMES))

    def add(name, frame):
        begin.wait()
        return layers.add(name, frame, paths[name], True, {})

    with ThreadPoolExecutor(len(NAMES)) as threads:
        for frame in range(20):
            found = list(threads.map(add, NAMES, [frame] * len(NAMES)))
            assert sum(one is not None for one in found) == 1


def test_the_header_names_each_licence_of_any_object_once(layers, entry):
    layers.add("hero", 1, entry(0.5), True, {"videomama:licence": "sam2: Apache-2.0; vitmatte: Apache-2.0"})
    layers.add("dog", 1, entry(0.5), True, {"videomama:licence": "sam2: Apache-2.0"})
    whole = layers.add("cat", 1, entry(0.5), True, {})
    header = OpenImageIO.ImageBuf(str(whole.path)).spec()
    assert header.getattribute("videomama:licence") == "sam2: Apache-2.0; vitmatte: Apache-2.0"
