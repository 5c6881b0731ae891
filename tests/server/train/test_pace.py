from videomama_server.train.pace import Pace


def said(first, last, seconds):
    times = iter(range(0, 10_000, seconds))
    pace = Pace(first, last, lambda: float(next(times)))
    return {step: told for step in range(first + 1, last + 1) if (told := pace.after(step))}


def test_hours_follow_from_the_steps_after_the_first():
    """The clock is asked when the first step ends, and each time that something is said."""
    times = iter([10.0, 16.0, 200.0])
    pace = Pace(0, 1000, lambda: next(times))
    told = [pace.after(step) for step in range(1, 31)]
    assert told[3] == "Measured in steps 2 to 4: 2.00 s a step, about 0.55 hours left up to step 1000."
    assert told[19] == "Measured in steps 2 to 20: 10.00 s a step, about 2.7 hours left up to step 1000."
    assert [place for place, text in enumerate(told) if text] == [3, 19]


def test_a_resumed_run_measures_its_own_steps():
    assert list(said(500, 530, 6)) == [504, 520]


def test_a_run_that_ends_has_nothing_left():
    assert said(0, 4, 6) == {}
