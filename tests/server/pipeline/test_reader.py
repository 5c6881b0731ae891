import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.settings import MatteSettings
from videomama_server.cache.memo import Facts, FileId, Memo, pixel_digest
from videomama_server.media import frames
from videomama_server.media.channels import ChannelChoice
from videomama_server.media.frames import Picture, Seen, read_plate
from videomama_server.media.geometry import EMPTY, Geometry, Rect
from videomama_server.pipeline import reader as reader_module
from videomama_server.pipeline.reader import NOTHING, Reader, check_display, cut, plate_space, wanted_of
from videomama_server.pipeline.sources import DiskSource, EntrySource, NoMasks

FULL = Rect(0, 0, 64, 48)


@pytest.fixture
def shot(make_shot):
    return make_shot([1001, 1002])


@pytest.fixture
def make_reader(shot, tmp_path):
    def make(rehash=False, memo=None, **wanted):
        plate, mask = DiskSource("plate", shot.plate, ()), DiskSource("mask", shot.mask, ())
        return Reader(plate, mask, memo or Memo(tmp_path / "memo"), ChannelChoice(**wanted), rehash)

    return make


@pytest.fixture
def reader(make_reader):
    return make_reader()


@pytest.fixture
def count_reads(monkeypatch):
    """Count how often plates and masks are opened for their pixels."""
    reads = []
    for name in ("read_plate", "read_mask"):
        real = getattr(frames, name)
        monkeypatch.setattr(frames, name, lambda *a, real=real, name=name: (reads.append(name), real(*a))[1])
    return reads


def test_a_frame_is_loaded_as_it_is_on_disk(reader, pictures):
    loaded = reader.load(1001, None, FULL)
    np.testing.assert_array_equal(loaded.plate, pictures.scene(1001))
    np.testing.assert_array_equal(loaded.mask, pictures.disc(24, 24))
    assert loaded.geometry == Geometry(FULL, FULL)
    assert loaded.outside is None


def test_a_region_is_cut_out(reader, pictures):
    region = Rect(8, 8, 40, 32)
    loaded = reader.load(1001, region, FULL)
    np.testing.assert_array_equal(loaded.plate, pictures.scene(1001)[8:40, 8:48])
    np.testing.assert_array_equal(loaded.mask, pictures.disc(24, 24)[8:40, 8:48])
    assert loaded.outside is None
    assert loaded.plate.flags.c_contiguous


def test_a_region_past_the_canvas_is_filled_with_zero(reader):
    loaded = reader.load(1001, Rect(-8, -8, 24, 24), FULL)
    assert loaded.plate[:8].max() == loaded.plate[:, :8].max() == 0
    assert loaded.plate[8:, 8:].min() >= 0
    assert loaded.mask.shape == (24, 24)


def test_a_mask_that_leaves_the_region_is_kept_whole(reader, pictures):
    loaded = reader.load(1001, Rect(0, 0, 24, 48), FULL)
    np.testing.assert_array_equal(loaded.outside, pictures.disc(24, 24))


def test_odd_mask_values_become_0_to_1_and_odd_plate_values_stay(shot, make_reader, pictures):
    plate, mask = pictures.scene(1), pictures.disc(24, 24)
    plate[0, :4, 0] = np.nan, np.inf, -3, 60000
    mask[0, :5] = np.nan, np.inf, -np.inf, -3, 60000
    shot.put_plate(1001, plate)
    shot.put_mask(1001, mask)
    loaded = make_reader().load(1001, None, FULL)
    np.testing.assert_array_equal(loaded.plate[0, :4, 0], plate[0, :4, 0])
    np.testing.assert_array_equal(loaded.mask[0, :5], [0, 1, 0, 0, 1])


def test_odd_values_of_a_resampled_mask_do_not_spread(shot, make_reader, pictures):
    mask = np.zeros((96, 128), np.float32)
    mask[20:40, 20:40] = 60000
    mask[30, 30] = np.nan
    mask[32, 32] = np.inf
    shot.put_mask(1001, mask)
    clean = np.zeros_like(mask)
    clean[20:40, 20:40] = 1
    clean[30, 30] = 0
    shot.put_mask(1002, clean)
    reader = make_reader()
    np.testing.assert_array_equal(reader.load(1001, None, FULL).mask, reader.load(1002, None, FULL).mask)


def test_facts_of_a_mask(reader, pictures):
    facts = reader.mask_facts(1002)
    assert facts.geometry == Geometry(FULL, FULL)
    assert facts.support == Rect(17, 16, 17, 17)
    assert (facts.low, facts.peak) == (0.0, 1.0)


def test_facts_of_a_mask_in_overscan_count_from_the_display_window(shot, make_reader, pictures):
    shot.put_mask(1001, pictures.disc(10, 10, 4), display=(0, 0, 64, 48), origin=(-20, -20))
    assert make_reader().mask_facts(1001).support == Rect(-14, -14, 9, 9)


@pytest.mark.parametrize(("value", "support"), [(0.0, EMPTY), (0.0019, EMPTY), (np.nan, EMPTY), (-2.0, EMPTY)])
def test_an_empty_mask_has_no_support(shot, make_reader, value, support):
    shot.put_mask(1001, np.full((48, 64), value))
    facts = make_reader().mask_facts(1001)
    assert facts.support == support
    assert facts.peak <= NOTHING


def test_a_mask_is_read_once_for_its_facts_and_its_pixels(make_reader, count_reads, shot, pictures):
    reader = make_reader()
    reader.mask_facts(1001)
    np.testing.assert_array_equal(reader.load(1001, None, FULL).mask, make_reader().load(1001, None, FULL).mask)
    assert count_reads == ["read_mask", "read_plate", "read_plate", "read_mask"]
    reader.mask_facts(1002)
    shot.put_mask(1002, pictures.disc(3, 3, 2))
    with pytest.raises(BadInput, match="changed while the job was running"):
        reader.load(1002, None, FULL)


def test_an_unchanged_mask_is_not_read_twice(make_reader, count_reads, tmp_path):
    memo = Memo(tmp_path / "memo")
    first = make_reader(memo=memo).mask_facts(1001)
    memo.save()
    assert make_reader(memo=Memo(tmp_path / "memo")).mask_facts(1001) == first
    assert count_reads == ["read_mask"]


def test_another_channel_is_read_again(make_reader, count_reads, tmp_path):
    memo = Memo(tmp_path / "memo")
    make_reader(memo=memo).mask_facts(1001)
    make_reader(memo=memo, mask_channel="A").mask_facts(1001)
    assert len(count_reads) == 2


def test_rehash_trusts_no_memo(make_reader, shot, count_reads):
    memo = Memo(None)
    memo.put(FileId.of(shot.mask_file(1001)), ChannelChoice().of_mask, Facts("wrong", Geometry(FULL, FULL)))
    memo.put(FileId.of(shot.plate_file(1001)), ChannelChoice().of_plate, Facts("wrong", Geometry(FULL, FULL)))
    assert make_reader(memo=memo).mask_facts(1001).digest == "wrong"
    reader = make_reader(memo=memo, rehash=True)
    assert reader.mask_facts(1001).digest != "wrong"
    assert reader.plate_facts(1001) is None
    reader.load(1001, None, FULL)
    assert reader.plate_facts(1001).digest != "wrong"


def test_facts_of_a_plate_are_known_once_it_was_loaded(reader, shot):
    assert reader.plate_facts(1001) is None
    reader.load(1001, None, FULL)
    assert reader.plate_facts(1001).digest == pixel_digest(read_plate(shot.plate_file(1001)))


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_a_file_that_changes_while_the_job_runs_is_an_error(reader, shot, pictures, role, raises_with_hint):
    reader.load(1001, None, FULL)
    put = shot.put_plate if role == "plate" else shot.put_mask
    put(1001, pictures.scene(5) if role == "plate" else pictures.disc(5, 5))
    with raises_with_hint(BadInput, f"{role} frame 1001: the file changed"):
        reader.load(1001, None, FULL)


def test_a_file_written_anew_with_the_same_pixels_is_no_change(reader, shot, pictures):
    reader.load(1001, None, FULL)
    shot.put_plate(1001, pictures.scene(1001))
    os.utime(shot.mask_file(1001))
    reader.load(1001, None, FULL)


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_a_file_swapped_while_it_is_read_is_an_error_and_not_remembered(
    make_reader, shot, pictures, monkeypatch, role, raises_with_hint
):
    """The other file may be older than the job, so its own stamp would look trustworthy."""
    real = getattr(frames, f"read_{role}")
    put = shot.put_plate if role == "plate" else shot.put_mask

    def read_then_swap(path, *chosen):
        picture = real(path, *chosen)
        path.unlink()
        put(1001, picture.pixels * 0)
        return picture

    memo = Memo(None)
    monkeypatch.setattr(frames, f"read_{role}", read_then_swap)
    with raises_with_hint(BadInput, f"{role} frame 1001: the file changed"):
        make_reader(memo=memo).load(1001, None, FULL)
    file = shot.plate_file(1001) if role == "plate" else shot.mask_file(1001)
    assert memo.get(FileId.of(file), getattr(ChannelChoice(), f"of_{role}")) is None


def test_a_plate_of_another_size_is_an_error_that_names_its_frame(reader, shot, pictures, raises_with_hint):
    shot.put_plate(1002, pictures.scene(1, 32, 32))
    with raises_with_hint(BadInput, "plate frame 1002", "32x32", "64x48"):
        reader.load(1002, None, FULL)


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_an_unreadable_file_is_an_error_that_names_role_frame_and_file(reader, shot, role, raises_with_hint):
    path = shot.plate_file(1002) if role == "plate" else shot.mask_file(1002)
    path.write_bytes(b"garbage")
    with raises_with_hint(BadInput, f"{role} frame 1002", path):
        reader.load(1002, None, FULL)


def test_a_channel_that_is_not_there_is_an_error_that_names_the_frame(make_reader, raises_with_hint):
    reader = make_reader(plate_layer="beauty", mask_channel="roto")
    with raises_with_hint(BadInput, "plate frame 1001", "beauty"):
        reader.probe_plate(1001)
    with raises_with_hint(BadInput, "mask frame 1002", "roto"):
        reader.mask_facts(1002)


def test_a_file_that_may_not_be_read_keeps_its_kind_of_error(reader, shot, monkeypatch, raises_with_hint):
    shot.mask_file(1001).write_bytes(b"")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with raises_with_hint(NotPermitted, "mask frame 1001", shot.mask_file(1001)):
        reader.mask_facts(1001)


def test_probe_gives_the_geometry_of_the_part_that_holds_the_plate(shot, make_reader, pictures):
    other = pictures.scene(2, 20, 20)
    rows = [("depth", other[..., :1], "Z", (4, 4)), ("rgba", other, "RGB", (8, 8))]
    pictures.write_parts(shot.plate_file(1001), rows)
    assert make_reader().probe_plate(1001) == Seen(Geometry(FULL, Rect(8, 8, 20, 20)))


def test_the_header_of_a_plate_that_the_memo_knows_is_not_read(shot, make_reader, monkeypatch):
    shot.put_plate(1001, np.zeros((48, 64, 3)), display=(0, 0, 70, 50), origin=(2, 1), aspect=2.0)
    memo = Memo(None)
    reader = make_reader(memo=memo)
    first = reader.probe_plate(1001)
    reader.load(1001, None, Rect(0, 0, 70, 50))
    assert first == Seen(Geometry(Rect(0, 0, 70, 50), Rect(2, 1, 64, 48), 2.0))
    monkeypatch.setattr(frames, "probe_plate", None)
    assert make_reader(memo=memo).probe_plate(1001) == first
    with pytest.raises(TypeError):
        make_reader(memo=memo, rehash=True).probe_plate(1001)
    with pytest.raises(TypeError):
        make_reader(memo=memo, plate_layer="rgba").probe_plate(1001)


def facts(display, support):
    return Facts("d", Geometry(display, display), support=support, peak=1.0)


def test_a_support_in_the_plates_own_coordinates_stays():
    assert plate_space(facts(FULL, Rect(3, 4, 5, 6)), FULL, 1) == Rect(3, 4, 5, 6)


def test_a_support_moves_with_the_display_windows():
    assert plate_space(facts(Rect(10, 20, 64, 48), Rect(13, 24, 5, 6)), Rect(100, 200, 64, 48), 1) == Rect(
        103, 204, 5, 6
    )


def test_a_support_of_a_mask_of_another_size_is_scaled_and_reaches_as_far_as_resampling():
    assert plate_space(facts(Rect(0, 0, 32, 24), Rect(4, 4, 8, 8)), FULL, 1) == Rect(7, 7, 18, 18)
    assert plate_space(facts(Rect(0, 0, 128, 96), Rect(5, 5, 8, 8)), FULL, 1) == Rect(2, 2, 5, 5)


SIZES = [(16, 12), (8, 6), (43, 32), (64, 48), (65, 48), (63, 48), (64, 47), (100, 75), (128, 96), (256, 192)]


@given(
    st.sampled_from(SIZES),
    st.sampled_from([FULL, Rect(-7, 30, 60, 45), Rect(0, 0, 97, 73)]),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_a_support_is_exactly_where_the_resampled_mask_lies(size, display, place):
    """So that no mask is said to leave a region that holds it, at the frame's edge say."""
    w, h = size
    x, y = min(w - 1, int(place[0] * w)), min(h - 1, int(place[1] * h))
    rect = Rect(x, y, max(1, round(place[2] * (w - x))), max(1, round(place[3] * (h - y))))
    own = Rect(0, 0, w, h)
    pixels = np.zeros((h, w, 1), np.float32)
    pixels[rect.slices(own)] = 1
    laid = frames.conform(Picture(pixels, Geometry(own, own)), Geometry(display, display))
    rows, columns = np.flatnonzero(laid.any(axis=1)), np.flatnonzero(laid.any(axis=0))
    support = plate_space(facts(own, rect), display, 1)
    if (display.w - w) * (display.h - h) < 0:  # one side longer and one shorter: the library reaches less far
        assert display.holds(support)
        assert not laid.sum() or support.holds(
            Rect(int(columns[0]) + display.x, int(rows[0]) + display.y, columns.size, rows.size)
        )
    else:
        assert support == Rect(int(columns[0]) + display.x, int(rows[0]) + display.y, columns.size, rows.size)


def test_overscan_of_a_mask_of_another_size_is_in_no_support():
    """It is not resampled either."""
    assert plate_space(facts(Rect(0, 0, 32, 24), Rect(-4, -4, 8, 8)), FULL, 1) == Rect(0, 0, 9, 9)
    assert plate_space(facts(Rect(0, 0, 32, 24), Rect(-8, 0, 4, 8)), FULL, 1) == EMPTY


def test_an_empty_support_stays_empty():
    assert plate_space(facts(Rect(0, 0, 32, 24), EMPTY), FULL, 1) == EMPTY


@pytest.mark.parametrize(("w", "h"), [(65, 48), (1920, 1440), (32, 24), (43, 32)])
def test_rounded_sizes_count_as_the_same_aspect(w, h):
    plate_space(facts(Rect(0, 0, w, h), EMPTY), FULL, 1)


@pytest.mark.parametrize(("w", "h"), [(48, 64), (1920, 1080), (640, 400)])
def test_another_aspect_is_an_error_that_names_the_frame_and_both_sizes(w, h, raises_with_hint):
    display = Rect(0, 0, 1024, 768)
    with raises_with_hint(BadInput, "mask frame 1007", f"{w}x{h}", "1024x768"):
        plate_space(facts(Rect(0, 0, w, h), EMPTY), display, 1007)


def test_cut_of_the_whole_canvas_is_the_array_itself(pictures):
    pixels = pictures.scene()
    assert cut(pixels, FULL, FULL) is pixels
    assert not np.shares_memory(cut(pixels, FULL, Rect(0, 0, 8, 8)), pixels)


def test_cut_far_from_the_canvas_is_zero(pictures):
    assert cut(pictures.scene(), FULL, Rect(1000, 1000, 8, 8)).shape == (8, 8, 3)
    assert not cut(pictures.scene(), FULL, Rect(1000, 1000, 8, 8)).any()


@pytest.mark.parametrize("name", ["plate_layer", "mask_channel", "view", "mask_colour"])
def test_each_setting_of_what_is_read_goes_to_the_reader_under_its_own_name(name):
    assert wanted_of(MatteSettings()) == ChannelChoice()
    assert wanted_of(MatteSettings.of(**{name: "left"})) == ChannelChoice(**{name: "left"})


def test_a_plate_of_another_format_names_the_frame_and_both_sizes():
    check_display(1002, FULL, Rect(0, 0, 64, 48))
    with pytest.raises(BadInput, match=r"plate frame 1002: it is 64x40.*, the clip is 64x48") as caught:
        check_display(1002, Rect(0, 0, 64, 40), FULL)
    assert caught.value.frame == 1002


def test_plates_that_were_looked_at_are_kept_while_there_is_room_and_released_then(tmp_path, monkeypatch):
    monkeypatch.setattr(reader_module, "_KEPT_BYTES", 10)
    released = []
    plate = SimpleNamespace(release=released.append)
    reader = SimpleNamespace(_lock=threading.Lock(), _probed_bytes=0, plate=plate)
    for frame, size in ((1, 6), (2, 5), (3, 4), (4, 1)):
        path = tmp_path / f"plate.{frame}.exr"
        path.write_bytes(b"x" * size)
        reader_module.Reader._let_go(reader, frame, path)
    assert released == [2, 4]


def test_what_is_measured_on_a_frame_is_measured_once(make_reader, tmp_path):
    memo = Memo(tmp_path / "memo")
    seen = []

    def measure(loaded):
        seen.append(loaded.number)
        return [0.5, 2.0]

    for _ in range(2):
        assert list(make_reader(memo=memo).measured(1001, "fit 1", measure, FULL)) == [0.5, 2.0]
    assert seen == [1001]
    make_reader(memo=memo).measured(1001, "fit 2", measure, FULL)
    make_reader(memo=memo).measured(1002, "fit 1", measure, FULL)
    make_reader(memo=memo, rehash=True).measured(1001, "fit 1", measure, FULL)
    assert seen == [1001, 1001, 1002, 1001]


@pytest.mark.parametrize(
    ("suffix", "vary"), [(".EXR", True), (".sxr", True), (".tif", True), (".tiff", True), (".dpx", False)]
)
def test_data_windows_may_vary_in_formats_that_have_them(make_reader, suffix, vary):
    reader = make_reader()
    reader.plate = SimpleNamespace(suffix=suffix)
    assert reader.windows_vary() == vary


def test_plates_of_a_gibibyte_in_all_are_kept():
    assert reader_module._KEPT_BYTES == 2**30


@pytest.mark.parametrize(("value", "some"), [(0.4 / 255, False), (0.6 / 255, True)])
def test_a_mask_value_counts_from_half_a_step_of_eight_bits(shot, make_reader, value, some):
    shot.put_mask(1001, np.full((48, 64), value))
    assert make_reader().mask_facts(1001).support.empty != some


@pytest.mark.parametrize(
    ("size", "fits"), [((1035, 768), True), ((1036, 768), False), ((1013, 768), True), ((1012, 768), False)]
)
def test_the_aspect_may_be_off_by_a_hundredth_and_a_pixel(size, fits):
    display = Rect(0, 0, 1024, 768)
    asked = facts(Rect(0, 0, *size), EMPTY)
    if fits:
        assert plate_space(asked, display, 1) == EMPTY
        return
    with pytest.raises(BadInput, match="another aspect"):
        plate_space(asked, display, 1)


def test_a_mask_that_leaves_the_region_by_its_grey_alone_counts(shot, make_reader):
    mask = np.zeros((48, 64), np.float32)
    mask[20, 20], mask[20, 40] = 1, 0.5 / 255
    shot.put_mask(1001, mask)
    assert make_reader().load(1001, Rect(0, 0, 32, 48), FULL).outside is None
    mask[20, 40] = 0.6 / 255
    shot.put_mask(1002, mask)
    assert make_reader().load(1002, Rect(0, 0, 32, 48), FULL).outside is not None


def test_the_worker_is_seen_to_live_and_files_are_let_go_as_they_are_read(shot, reader, monkeypatch):
    beats, released = [], []
    monkeypatch.setattr(reader_module.heartbeat, "beat", lambda: beats.append(1))
    for source in (reader.plate, reader.mask):
        monkeypatch.setattr(type(source), "release", lambda self, frame: released.append((self.role, frame)))
    reader.load(1001, None, FULL)
    assert len(beats) == 2
    assert released == [("plate", 1001), ("mask", 1001)]


def test_a_plate_is_read_for_its_digest_once(reader, count_reads):
    reader.digest_plate(1001)
    reader.digest_plate(1001)
    assert count_reads == ["read_plate"]
    assert reader.plate_facts(1001).digest == pixel_digest(read_plate(reader.plate.path(1001)))


def test_a_frame_is_digested_once_its_plate_and_its_mask_are(make_reader, tmp_path):
    reader, other = make_reader(memo=Memo(tmp_path / "one")), make_reader(memo=Memo(tmp_path / "other"))
    assert not reader.is_digested(1001)
    reader.digest_plate(1001)
    assert not reader.is_digested(1001)
    reader.mask_facts(1001)
    assert reader.is_digested(1001)
    assert not reader.is_digested(1002)
    other.mask_facts(1001)
    assert not other.is_digested(1001)


def test_an_alpha_of_a_stage_needs_no_reading_to_be_digested(reader):
    after = reader.over(EntrySource("stage 1", {1001: "0" * 40}, lambda _: None))
    assert not after.is_digested(1001)
    reader.digest_plate(1001)
    assert after.is_digested(1001)


def test_a_reader_over_the_alphas_of_a_stage_knows_the_same_plates(reader, shot, count_reads, pictures):
    entry = pictures.write(shot.folder / "entry.exr", pictures.disc(10, 10), "A", "float")
    reader.digest_plate(1001)
    other = reader.over(EntrySource("stage 1", {1001: "aa"}, lambda key: entry))
    assert other.plate_facts(1001) == reader.plate_facts(1001)
    loaded = other.load(1001, None, FULL)
    np.testing.assert_array_equal(loaded.mask, pictures.disc(10, 10))
    assert (other.mask_digest(1001), loaded.is_empty) == ("aa", False)
    assert reader.mask_digest(1001) == reader.mask_facts(1001).digest


def test_channels_of_the_mask_on_disk_are_nothing_to_the_alphas_of_a_stage(make_reader, shot, pictures):
    entry = pictures.write(shot.folder / "entry.exr", pictures.disc(10, 10), "A", "float")
    source = EntrySource("stage 1", {1001: "aa"}, lambda key: entry)
    reader = make_reader(mask_channel="matte.R", mask_colour="#ffffff", view="").over(source)
    np.testing.assert_array_equal(reader.load(1001, None, FULL).mask, pictures.disc(10, 10))


def test_where_there_are_no_masks_each_is_zero(reader):
    assert reader.has_masks
    bare = reader.over(NoMasks(reader.plate))
    assert not bare.has_masks
    loaded = bare.load(1001, None, FULL)
    assert loaded.mask.shape == (48, 64)
    assert loaded.is_empty
    assert not loaded.mask.any()


@pytest.mark.parametrize("block", [1, 7, 12, 1 << 16])
@pytest.mark.parametrize(("place", "value"), [((8, 3), np.nan), ((8, 3), 1.5), ((0, 0), -0.5), ((4, 2), np.inf)])
def test_values_out_of_range_are_found_wherever_they_lie(monkeypatch, block, place, value):
    monkeypatch.setattr(reader_module, "_BLOCK", block)
    values = np.full((9, 4), 0.25, np.float32)
    assert reader_module.in_range(values) is values
    values[place] = value
    held = reader_module.in_range(values)
    assert held[place] == np.clip(np.nan_to_num(value), 0, 1)
    assert np.count_nonzero(held == 0.25) == 35


def test_a_picture_without_pixels_is_in_range():
    assert reader_module.in_range(np.zeros((0, 4), np.float32)).shape == (0, 4)
