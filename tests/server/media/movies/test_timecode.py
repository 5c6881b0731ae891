from fractions import Fraction

import pytest
from videomama_server.media.movies.timecode import from_frame, nominal, to_frame

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "rate", "number"),
    [
        ("00:00:41:17", Fraction(24), 1001),
        ("01:00:00:00", Fraction(24000, 1001), 86400),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17982),
        ("01:00:00;00", Fraction(60000, 1001), 215784),
        ("24 frames", Fraction(24), None),
        ("00:00:00:24", Fraction(24), None),
        ("00:61:00:00", Fraction(24), None),
        ("00:60:00:00", Fraction(24), None),
        ("00:00:60:00", Fraction(24), None),
        ("00:00:00:30", NTSC, None),
        ("23:59:59:29", NTSC, 2591999),
    ],
)
def test_timecode_counts_frames_as_smpte_does(text, rate, number):
    assert to_frame(text, rate) == number


def test_a_number_comes_back_from_its_timecode():
    for number in (0, 1, 1001, 86399, 123456):
        assert to_frame(from_frame(number, Fraction(25)), Fraction(25)) == number


def test_timecode_counts_a_whole_number_of_frames_a_second():
    assert nominal(Fraction(24000, 1001)) == 24
    assert nominal(Fraction(1, 100)) == 1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (23, "00:00:00:23"),
        (24, "00:00:01:00"),
        (24 * 3600 - 1, "00:59:59:23"),
        (24 * 86400 - 1, "23:59:59:23"),
        (24 * 86400, "00:00:00:00"),
    ],
)
def test_a_day_of_timecode_begins_again_at_midnight(number, text):
    assert from_frame(number, Fraction(24)) == text
