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
