import uuid
from dataclasses import replace

import pytest
from videomama_client.errors import BadInput, ProtocolError
from videomama_client.job_records import JobState, LogLine, Phase, Submitter
from videomama_client.messages import MatteDone, QcFlag, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.serving.history import file, rows
from videomama_server.serving.history.rows import Rows

REQUEST = SubmitMatte(
    "", "/shots/caf\udce9/plate.####.exr", "/m.####.exr", "/o.####.exr",
    MatteSettings(engine="classic").with_options(mode="fast"),
)  # fmt: skip


@pytest.fixture
def kept(tmp_path):
    connection = file.opened(tmp_path / "history.sqlite")
    yield Rows(connection)
    connection.close()


def state_of(job="", **changes):
    made = JobState(job or uuid.uuid4().hex, "shot010", "/shots/sh010/p", "batch", "done", "classic", 40, 40, 12, 9.5)
    return replace(made, submitter=Submitter("ann", "ws12", "nuke", "/home/ann"), **changes)


def jobs(page):
    return [state.job for state in page.jobs]


def test_a_job_is_read_as_it_was_entered_but_for_what_only_a_running_job_has(kept):
    state = state_of(
        warnings=["little space"], flags="hole on 7", begun_at=2.0, ended_at=3.0, phase=Phase("computing"),
        jobs_before=0, seconds_left=4.0,
    )  # fmt: skip
    kept.put(state, None, None)
    assert kept.page("", [], None, 10).jobs == [replace(state, phase=None, jobs_before=None, seconds_left=None)]


def test_what_is_entered_again_takes_the_place_of_what_was_there(kept):
    first, second = state_of(state="running"), state_of()
    for state in (first, second, replace(first, state="failed", message="broken")):
        kept.put(state, None, None)
    found = kept.page("", [], None, 10)
    assert jobs(found) == [second.job, first.job]
    assert (found.jobs[1].state, found.jobs[1].message) == ("failed", "broken")
    assert jobs(kept.page("broken", [], None, 10)) == [first.job]


def test_pages_follow_each_other_without_gap_or_repeat(kept):
    made = [state_of() for _ in range(7)]
    for state in made:
        kept.put(state, None, None)
    found, before = [], None
    while True:
        page = kept.page("", [], before, 3)
        found += jobs(page)
        if page.next_before is None:
            break
        before = page.next_before
        kept.put(state_of(), None, None)  # a new job does not shift the pages
    assert found == [state.job for state in reversed(made)]


@pytest.mark.parametrize(
    "search", ["SHOT010", "sh010", "ann", "ws12", "nuke", "classic", "ann shot010", "mask frame 7", "bad-input"]
)
def test_jobs_are_found_by_words_of_their_fields(kept, search):
    wanted = state_of(state="failed", message="Mask frame 7: broken", code="bad-input")
    kept.put(wanted, None, None)
    other = JobState("0" * 32, "other", "/p", "batch", "done", "videomama", 1, 1, 0, 1.0)
    kept.put(other, None, None)
    assert jobs(kept.page(search, [], None, 10)) == [wanted.job]
    assert jobs(kept.page(f"{search} nowhere", [], None, 10)) == []


@pytest.mark.parametrize("search", ["%", "_", "\\", "'", '"', "\udce9", "*"])
def test_signs_of_a_query_language_are_searched_as_they_are(kept, search):
    kept.put(state_of(), None, None)
    marked = state_of(label=f"a{search}b")
    kept.put(marked, None, None)
    assert jobs(kept.page(search, [], None, 10)) == [marked.job]


def test_jobs_are_found_by_state(kept):
    failed, done = state_of(state="failed"), state_of()
    for state in (failed, done, state_of(state="running")):
        kept.put(state, None, None)
    assert jobs(kept.page("", ["failed"], None, 10)) == [failed.job]
    assert jobs(kept.page("shot010", ["done", "failed"], None, 10)) == [done.job, failed.job]


def test_the_request_and_the_result_of_a_job_are_kept(kept):
    state, result = (
        state_of(),
        MatteDone("j", 1, 1, 0, 1.0, "classic", [0, 0, 8, 8], flags=[QcFlag("hole", [7], 7, "why")]),
    )
    kept.put(replace(state, state="running"), REQUEST, None)
    kept.put(state, None, result)
    found = kept.details(state.job)
    assert (found.state, found.request, found.result) == (state, REQUEST, result)


def test_a_job_is_found_by_the_beginning_of_its_id(kept):
    for job in ("abcd1" + 27 * "0", "abcd2" + 27 * "0"):
        kept.put(state_of(job), REQUEST, None)
    assert kept.details("abcd1").state.job.startswith("abcd1")
    assert kept.details("abce") is kept.details("abc") is kept.details("\udce9" * 9) is None
    with pytest.raises(BadInput, match="several jobs begin with abcd"):
        kept.details("abcd")


def test_jobs_that_were_left_are_interrupted_and_offered_unless_inline(kept):
    running, waiting, inline = (
        state_of(state="running"),
        state_of(state="waiting"),
        state_of(state="running", inline=True),
    )
    for state in (running, waiting, inline, state_of()):
        kept.put(state, REQUEST, None)
    assert kept.interrupt() == 3
    assert [(one.state.job, one.state.resumable) for one in kept.interrupted()] == [
        (running.job, True), (waiting.job, True), (inline.job, False),
    ]  # fmt: skip
    assert kept.interrupt() == 0


def test_a_request_of_another_version_cannot_be_resumed(kept):
    state = state_of(state="running")
    kept.put(state, REQUEST, None)
    kept._connection.execute("UPDATE details SET request = x'81a46b696e64a35f5f5f'")
    kept.interrupt()
    (found,) = kept.interrupted()
    assert (found.request, found.state.resumable) == (None, False)


def test_a_record_of_a_later_version_is_read_as_far_as_it_is_known(kept):
    state = state_of()
    kept.put(state, None, None)
    kept._connection.execute("UPDATE jobs SET record = json_set(record, '$.later', 1, '$.submitter.later', 2)")
    assert kept.page("", [], None, 1).jobs == [state]


def test_the_last_lines_of_a_job_are_kept_in_their_order(kept, monkeypatch):
    monkeypatch.setattr(rows, "MOST_LINES", 3)
    one, other = state_of(), state_of()
    for state in (one, other):
        kept.put(state, None, None)
    for number in range(5):
        kept.note(one.job, LogLine(float(number), f"line {number}", "warning"))
        kept.note(other.job, LogLine(0.0, "other\udce9"))
    kept.note("nobody", LogLine(0.0, "lost"))
    assert [line.text for line in kept.lines(one.job, 10)] == ["line 2", "line 3", "line 4"]
    assert kept.lines(one.job, 1) == [LogLine(4.0, "line 4", "warning")]
    assert kept.lines(other.job, 1)[0].text == "other?"


def test_the_history_is_bounded_by_number_and_size(kept, monkeypatch):
    monkeypatch.setattr(rows, "MOST_JOBS", 6)
    monkeypatch.setattr(rows, "MOST_DETAILED", 4)
    made = [state_of() for _ in range(9)]
    for state in made:
        kept.put(state, REQUEST, None)
        kept.note(state.job, LogLine(1.0, "begun"))
    kept.prune()
    assert jobs(kept.page("", [], None, 100)) == [state.job for state in reversed(made[3:])]
    assert [kept.details(state.job).request is None for state in made[3:]] == [True, True, False, False, False, False]
    assert kept.lines(made[3].job, 9) == []
    assert len(kept.lines(made[8].job, 9)) == 1
    monkeypatch.setattr(rows, "MOST_DETAILS_BYTES", 1)
    kept.prune()
    assert kept.details(made[8].job).request is None


def test_a_request_that_is_too_large_is_not_kept(kept, monkeypatch):
    monkeypatch.setattr(rows, "MOST_DETAIL_BYTES", 100)
    state = state_of()
    kept.put(state, REQUEST, None)
    assert kept.details(state.job).request is None


def test_a_request_that_the_wire_refuses_is_kept_without_it(kept, monkeypatch):
    def refuse(_):
        raise ProtocolError("too large")

    monkeypatch.setattr(rows.wire, "encode", refuse)
    state = state_of()
    kept.put(state, REQUEST, None)
    assert (kept.details(state.job).state.job, kept.details(state.job).request) == (state.job, None)


def test_a_job_without_a_submitter_is_read_as_it_was(kept):
    state = replace(state_of(), submitter=None)
    kept.put(state, None, None)
    assert kept.page("", [], None, 10).jobs == [state]
