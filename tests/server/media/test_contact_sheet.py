import numpy as np
import pytest
from videomama_server.media import contact_sheet as sheets
from videomama_server.media.srgb import to_display


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1080, 1920), (270, 480)),
        ((27, 48, 3), (270, 480)),
        ((1920, 1080), (640, 360)),
        ((20_000, 8), (640, 1)),
        ((8, 20_000), (1, 480)),
        ((1, 1), (480, 480)),
    ],
    ids=str,
)
def test_cells_keep_proportions_and_are_never_larger_than_their_place(shape, size):
    assert sheets.cell_size(shape) == size
    assert sheets.as_cell(np.zeros(shape, np.float32)).shape == (*size, 3)


def test_a_sheet_has_its_cells_where_titles_and_captions_say():
    wide, tall = np.full((10, 480, 3), 200, np.uint8), np.full((300, 30, 3), 90, np.uint8)
    sheet = sheets.lay_out(
        ["a", "b"], [sheets.LabelledRow("1", [wide, tall]), sheets.LabelledRow("2", [tall, wide], is_marked=True)]
    )
    assert sheet.shape == (34 + 2 * (26 + 300) + 8, 8 + 2 * 488, 3)
    assert (sheet[60:70, 8:488] == 200).all()
    assert (sheet[70:360, 8:488] == 26).all()
    assert (sheet[60:360, 496:526] == 90).all()
    assert (sheet[386:686, 8:38] == 90).all()
    warned = (sheet == sheets.MARK).all(axis=-1)
    assert warned[360:386].any()
    assert not warned[:360].any()


def test_values_beyond_black_and_white_are_cut():
    picture = np.float32([[[-1, 0, 0.5]], [[1, 2, 0.25]]])
    assert sheets.as_bytes(picture).tolist() == [[[0, 0, 128]], [[255, 255, 64]]]


def test_enlarging_never_leaves_black_to_white():
    steps = np.zeros((4, 4), np.float32)
    steps[1:3, 1:3] = 1
    grown = sheets.fitted(steps, (64, 64))
    assert (grown.min(), grown.max()) == (0, 1)


def test_a_comp_is_mixed_in_linear_light():
    red, cover = np.float32([[[1, 0, 0]] * 3]), np.float32([[0, 0.5, 1]])
    comp = sheets.comp_over(sheets.GREEN, red, cover)
    linear = np.stack([sheets.GREEN, (sheets.GREEN + np.float32([1, 0, 0])) / 2, np.float32([1, 0, 0])])[None]
    np.testing.assert_allclose(comp, to_display(linear.astype(np.float32)), atol=1e-6)
    assert comp.dtype == np.float32


def test_a_checkerboard_has_two_greys_that_alternate():
    board = sheets.checkerboard((40, 50))
    assert board.shape == (40, 50, 1)
    assert len(np.unique(board)) == 2
    assert board[0, 0] == board[16, 16] != board[0, 16] == board[16, 0]


@pytest.mark.parametrize("size", [(4, 6), (1, 1), (400, 3), (20, 30)], ids=str)
def test_the_busiest_window_holds_the_most_and_lies_in_the_picture(size):
    interest = np.zeros((20, 30), np.float32)
    interest[3, 4], interest[15:18, 25:28] = 3, 4
    rows, columns = sheets.busiest(interest, size)
    assert interest[rows, columns].shape == (min(20, size[0]), min(30, size[1]))
    assert interest[rows, columns].max() == 4


def test_edges_are_where_an_alpha_changes():
    alpha = np.zeros((5, 5), np.float32)
    alpha[:, 3:] = 1
    assert sheets.edges(alpha).nonzero()[1].tolist() == [3] * 5


@pytest.mark.parametrize("shape", [(540, 960), (960, 540), (3000, 60), (60, 3000), (2, 2)], ids=str)
def test_a_detail_is_not_stretched_and_fits_its_cell(shape):
    interest = np.zeros(shape, np.float32)
    interest[shape[0] // 2, shape[1] // 2] = 1
    high, wide = sheets.cell_size(shape)[0], 238
    rows, columns = sheets.busiest(interest, sheets._window(shape, high / wide))
    shown = (rows.stop - rows.start, columns.stop - columns.start)
    assert abs(shown[0] - shown[1] * high / wide) <= 1 + high / wide
    picture = sheets.grey(np.zeros(shape, np.float32))
    detail = sheets.detail((picture, picture + 1), interest)
    assert detail.shape == (high, 480, 3)
    assert (detail[:, :238] == 0).all()
    assert (detail[:, -238:] == 255).all()


def test_spread_keeps_both_ends():
    assert sheets.spread(range(1001, 1025)) == [1001, 1009, 1016, 1024]
    assert sheets.spread([5, 6]) == [5, 6]
    assert sheets.spread(range(10), 3) == [0, 4, 9]
    assert sheets.spread([7, 8, 9], 1) == [7]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(sheets.LabelledRow) == {"is_marked": False}


def test_titles_and_captions_stand_at_the_left_of_their_cells_and_inside_their_bands():
    cell = np.full((20, 480, 3), 200, np.uint8)
    rows = [sheets.LabelledRow("mmm", [cell, cell], is_marked=True), sheets.LabelledRow("mmm", [cell, cell])]
    sheet = sheets.lay_out(["mmm", "mmm"], rows)
    inked = (sheet != sheets.PAPER).any(axis=-1)

    def box(top, bottom, left, right):
        lines, columns = np.nonzero(inked[top:bottom, left:right])
        return lines.min() + top, lines.max() + top, columns.min() + left, columns.max() + left

    assert box(0, 34, 0, 490) == (15, 22, 11, 48)
    assert box(0, 34, 490, 984) == (15, 22, 488 + 11, 488 + 48)
    assert [box(top, top + 26, 0, 984) for top in (34, 80)] == [(44, 51, 11, 48), (90, 97, 11, 48)]


def test_cells_are_the_pictures_that_they_always_were(unchanged):
    rng = np.random.default_rng(1)
    picture, alpha = rng.random((90, 150, 3), np.float32), rng.random((90, 150), np.float32)
    unchanged(sheets.as_cell(picture) / 255, [-582123, 163599, -913997], within=100)
    unchanged(sheets.as_cell(np.tile(picture, (9, 7, 1))) / 255, [-1187, 120347, -121617], within=100)
    unchanged(sheets.checkerboard((70, 50)), [-1881892])
    unchanged(sheets.comp_over(sheets.GREEN, picture, alpha), [-2394567, -900319, 114662])
    unchanged(sheets.detail((picture, 1 - picture), sheets.edges(alpha)) / 255, [-354720, -789991, -520660], within=100)
    unchanged(sheets.edges(alpha), [-1476988])
    words = sheets.blank(30, 90)
    sheets.label(words, "abc", (4, 20))
    sheets.label(words, "d", (60, 20), sheets.FAINT)
    unchanged(words / 255, [-104104, -104104, -104104])


@pytest.mark.parametrize(
    ("shape", "slant", "window"),
    [((300, 400), 1.0, (100, 100)), ((300, 50), 1.0, (50, 50)), ((2, 2), 3.0, (1, 1)), ((300, 400), 0.1, (40, 400))],
)
def test_a_detail_shows_a_third_of_the_height(shape, slant, window):
    assert sheets._window(shape, slant) == window


def test_a_caption_is_plain_unless_the_row_is_marked():
    cell = np.full((20, 480, 3), 200, np.uint8)
    plain = sheets.lay_out(["a"], [sheets.LabelledRow("x", [cell])])
    assert not (plain == sheets.MARK).all(axis=-1).any()
    assert (plain == sheets.INK).all(axis=-1).any()


def test_a_part_of_a_checkerboard_is_that_of_the_whole():
    whole = sheets.checkerboard((60, 80), 7.5)
    assert np.array_equal(sheets.checkerboard((20, 30), 7.5, (25, 13)), whole[25:45, 13:43])
    assert whole[0, 0] != whole[0, 8]
