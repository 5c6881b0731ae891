import os

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, links and modes are POSIX's")


@pytest.fixture
def intruder(load_bench):
    for name in ("private_server", "footage", "strangers", "grounds", "insiders"):
        load_bench(name)
    return load_bench("intruder")


def test_nobody_gets_in_and_every_way_was_tried(intruder):
    tally = intruder.attack(seed=3, rounds=1)
    assert tally.admitted == []
    report = tally.report()
    assert (report["attempts"], report["admissions"]) == (sum(report["by_kind"].values()), 0)
    assert len(report["by_kind"]) >= 40


def test_what_was_got_is_counted_and_told(intruder):
    tally = intruder.Tally()
    tally.add("a way", "")
    tally.add("a way", "a byte")
    assert tally.report() == {"attempts": 2, "admissions": 1, "by_kind": {"a way": 2}}
    assert tally.admitted == ["a way: a byte"]


def test_a_forged_entry_of_the_log_is_seen(intruder, tmp_path):
    log = tmp_path / "log"
    honest = "2026-11-21 10:00:00,123 server INFO it runs\n    a traceback\n"
    log.write_text(honest)
    assert intruder._forged(log) == ""
    log.write_text(f"{honest}2026-01-01 00:00:00,000 server INFO forged\n")
    assert intruder._forged(log)
