"""What the cells of the suite's contact sheet show."""

import numpy as np
from videomama_server.synthetic.sheet import SheetRow, contact_sheet


def test_the_detail_of_the_sheet_is_where_the_alpha_is_soft():
    alpha = np.zeros((270, 480), np.float32)
    alpha[200:260, 400:470] = 0.5
    grey = np.full((270, 480, 3), 0.05, np.float32)
    red = grey.copy()
    red[200:260, 400:470] = (1, 0, 0)
    sheet = contact_sheet([SheetRow("x", red, grey, alpha, alpha, grey)])
    detail = sheet[60:330, -488:-250]
    assert (detail[..., 0] > 200).mean() > 0.5


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(SheetRow) == {"exposure": 1.0}


def test_its_details_are_what_they_always_were(unchanged):
    rows, columns = np.mgrid[:90, :160].astype(np.float32)
    plate = np.stack([rows / 90, columns / 160, (rows + columns) / 250], axis=2)
    alpha = np.clip((40 - np.hypot(rows - 30, columns - 90)) / 9, 0, 1)
    sheet = contact_sheet(
        [SheetRow("a name", plate, plate[::-1], (alpha > 0.5).astype(np.float32), alpha, 1 - plate, 0.5)]
    )
    unchanged(sheet / 255, [53100, 136771, 100617])
