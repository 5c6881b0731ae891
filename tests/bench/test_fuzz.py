import random
from itertools import islice

import pytest


@pytest.fixture(scope="module")
def pictures(load_bench):
    load_bench("odd_pictures")  # which it imports
    return load_bench("fuzz_pictures")


@pytest.mark.parametrize("kind", ["exr", "tif", "png", "dpx", "jpg", "odd.exr", "odd.tif", "odd.png"])
def test_a_few_hundred_damaged_files_are_read_or_refused_by_name(pictures, tmp_path, kind):
    rounds = pictures.rounds(tmp_path, kind, 7)
    outcomes = [outcome for _, outcome in islice(rounds, 300)]
    rounds.close()
    assert {outcome.kind for outcome in outcomes} == {"pixels", "refused"}, outcomes


def test_the_same_seed_damages_alike(pictures, tmp_path):
    whole = pictures.seeds(tmp_path, "png")[0]
    first, again = (pictures.damaged(random.Random(3), whole) for _ in range(2))
    assert first == again != whole


def test_a_reader_that_dies_is_a_finding_and_is_started_again(pictures, tmp_path):
    reading = pictures.ReadingProcess()
    path = tmp_path / "p.png"
    path.write_bytes(pictures.seeds(tmp_path, "png")[0])
    assert reading.read(path).kind == "pixels"
    reading._process.kill()
    reading._process.wait()
    outcome = reading.read(path)
    assert outcome.is_finding
    assert outcome.kind == "crash"
    assert reading.read(path).kind == "pixels"
    reading.end()
