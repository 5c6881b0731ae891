import numpy as np
import pytest
from videomama_server.demo.sheet import SheetFrame, contact_sheet, write_contact_sheet
from videomama_server.media import frames


def row(number=1001, shape=(108, 192)):
    """A grey plate with a soft-edged disc in the right half, and a hard mask of it."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    distance = np.hypot(x - shape[1] * 0.7, y - shape[0] / 2)
    alpha = np.clip((shape[0] / 4 - distance) / 6 + 0.5, 0, 1)
    plate = alpha[..., None] * (0.9, 0.3, 0.2) + (1 - alpha[..., None]) * 0.5
    return SheetFrame(number, plate.astype(np.float32), np.round(alpha), alpha)


def test_size_and_type():
    sheet = contact_sheet([row(), row(1002)])
    assert sheet.dtype == np.uint8
    assert sheet.shape == (34 + 2 * (26 + 270) + 8, 8 + 5 * 488, 3)


def test_cells_show_what_their_columns_say():
    sheet = contact_sheet([row()])
    body = sheet[60:330]
    plate, mask, alpha, comp, _ = (body[:, 8 + i * 488 : 8 + i * 488 + 480] for i in range(5))
    centre, corner = (135, 336), (20, 20)
    np.testing.assert_allclose(plate[centre], (230, 76, 51), atol=2)
    np.testing.assert_allclose(plate[corner], (128, 128, 128), atol=2)
    assert tuple(mask[centre]) == tuple(alpha[centre]) == (255, 255, 255)
    assert tuple(mask[corner]) == tuple(alpha[corner]) == (0, 0, 0)
    assert len(np.unique(alpha[..., 0])) > len(np.unique(mask[..., 0]))
    np.testing.assert_allclose(comp[centre], (230, 76, 51), atol=3)
    assert comp[corner][1] > 2 * comp[corner][0]


def test_comp_takes_the_background_out_of_soft_edges():
    comp = contact_sheet([row()])[60:330, 8 + 3 * 488 : 8 + 3 * 488 + 480].astype(int)
    # Red over green never shows blue above either; the grey plate behind would.
    assert comp[..., 2].max() < 110


def test_detail_looks_at_the_edge():
    detail = contact_sheet([row()])[60:330, 8 + 4 * 488 : 8 + 4 * 488 + 480]
    by_mask, by_alpha = detail[:, :238], detail[:, -238:]
    assert by_mask.std() > 20
    assert by_alpha.std() > 20


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_alphas_are_laid_out_too(value):
    flat = np.full((60, 100), value, np.float32)
    plate = np.full((60, 100, 3), 0.4, np.float32)
    assert contact_sheet([SheetFrame(7, plate, flat, flat)]).shape[0] == 34 + 26 + 288 + 8


def test_tall_plates_fit():
    assert contact_sheet([row(shape=(200, 90))]).shape == (34 + 26 + 640 + 8, 8 + 5 * 488, 3)


def test_written_as_it_is(tmp_path):
    path = tmp_path / "contact_sheet.png"
    rows = [row(1001), row(1009)]
    write_contact_sheet(path, rows)
    assert path.read_bytes()[:4] == b"\x89PNG"
    np.testing.assert_allclose(frames.read_plate(path).pixels * 255, contact_sheet(rows), atol=0.01)
