import pytest
from videomama_client.job_records import Phase
from videomama_client.phase_words import said, said_beside


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase("queued", 1), "waiting behind 1 job"),
        (Phase("queued", 3), "waiting behind 3 jobs"),
        (Phase("starting"), "starting the engine process"),
        (Phase("loading", 900_000_000, 2_400_000_000, "sam2"), "loading sam2, 0.9 of 2.4 GB"),
        (Phase("loading", subject="classic"), "loading classic"),
        (Phase("reading-masks", 12, 40), "reading 40 masks, 12/40"),
        (Phase("reading-masks", 1, 1), "reading 1 mask, 1/1"),
        (Phase("judging-masks", 2, 5), "judging how good the masks are, 2/5"),
        (Phase("checking", 3, 7), "checking cached alphas, 3/7"),
        (Phase("reading-plates", 3), "reading plates, 3"),
        (Phase("computing", subject="1001-1016"), "computing 1001-1016"),
        (Phase("side-results", 3, 10, "foreground"), "foreground: 3 of 10"),
        (Phase("polishing-brass", 1, 2, "bell"), "polishing brass bell"),
    ],
)
def test_each_phase_has_its_words_and_one_that_is_not_known_says_its_code(phase, words):
    assert said(phase) == words


@pytest.mark.parametrize(
    ("phase", "done", "words"),
    [
        (None, 0, ""),
        (Phase("computing", subject="1001-1016"), None, "computing 1001-1016"),
        (Phase("computing", subject="1001-1016"), 0, "computing 1001-1016"),
        (Phase("computing", subject="1017-1032"), 5, ""),
        (Phase("reading-masks", 12, 40), 5, "reading 40 masks, 12/40"),
        (Phase("side-results", 3, 10, "foreground"), 0, ""),
    ],
)
def test_beside_counts_of_frames_only_what_these_do_not_say_is_told(phase, done, words):
    assert said_beside(phase, done) == words
