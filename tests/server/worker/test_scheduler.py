"""The scheduler over jobs of the tests' own, whose steps only write down that they were done."""

import threading
import time
from concurrent.futures import Future

import pytest
from videomama_client import messages
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server import pipe
from videomama_server.worker import scheduler
from videomama_server.worker.scheduler import Scheduler

WAIT_S = 60


def run_job(job, priority=messages.INTERACTIVE, turn=0):
    return pipe.RunJob(job, "", messages.SubmitMatte("r", "/p", "/m", "", MatteSettings(), priority=priority), turn)


class Rig:
    """A scheduler, the steps that it did, and what it emitted."""

    def __init__(self, when_idle=None):
        self.stepped, self.emitted, self.after, self.idle = [], [], 0, []
        self.scripts = {}  # by job: what its steps yield, or raise
        self.cancelled = {}
        self.scheduler = Scheduler(
            self._steps, self.emitted.append, self._count, when_idle or self._note_idle, "the log"
        )

    def _note_idle(self):
        self.idle.append(list(self.stepped))

    def _count(self):
        self.after += 1

    def _steps(self, run, cancelled):
        self.cancelled[run.job] = cancelled
        for pause in self.scripts.get(run.job, [None, None]):
            self.stepped.append(run.job)
            if isinstance(pause, Exception):
                raise pause
            yield pause

    def announce(self, *runs):
        for run in runs:
            self.scheduler.announce(run)

    def finish(self):
        """Work until no job is left; in a thread, as a scheduler without a job waits for one for ever."""
        work = threading.Thread(target=self._finish, daemon=True)
        work.start()
        work.join(WAIT_S)
        assert not work.is_alive(), "no job arrived, or one did not end"

    def _finish(self):
        self.scheduler.run_next()
        while self.scheduler.busy:
            self.scheduler.run_next()

    @property
    def begun(self):
        return [event.job for event in self.emitted if isinstance(event, pipe.JobBegun)]


@pytest.fixture
def rig():
    return Rig()


def test_a_job_is_done_step_by_step(rig):
    rig.announce(run_job("a"))
    rig.scheduler.run_next()
    assert (rig.stepped, rig.scheduler.busy) == (["a"], True)
    rig.finish()
    assert (rig.stepped, rig.scheduler.busy) == (["a", "a"], False)
    assert rig.emitted == [pipe.JobBegun("a")]
    assert rig.after == 2


def test_it_is_idle_once_no_job_is_left_however_the_last_one_ended(rig):
    rig.scripts = {"fails": [BadInput("no", "Do.")]}
    rig.announce(run_job("a"), run_job("b"))
    rig.finish()
    assert rig.idle == [["a", "a", "b", "b"]]
    rig.announce(run_job("fails"))
    rig.finish()
    assert len(rig.idle) == 2


@pytest.mark.parametrize("error", [ZeroDivisionError("a fault"), BadInput("no", "Do this."), MemoryError()], ids=str)
def test_what_goes_wrong_when_no_job_is_left_is_logged_and_stops_nothing(error, caplog):
    def failing():
        raise error

    rig = Rig(failing)
    for job in ("a", "b"):
        rig.announce(run_job(job))
        rig.finish()
    assert rig.stepped == ["a", "a", "b", "b"]
    assert caplog.text.count("after the last job: ") == 2
    assert not [event for event in rig.emitted if isinstance(event, messages.MatteFailed)]


def test_interactive_jobs_go_before_batch_jobs(rig):
    rig.announce(run_job("batch", messages.BATCH), run_job("interactive"))
    rig.finish()
    assert rig.begun == ["interactive", "batch"]


def test_an_urgent_job_goes_between_two_steps_of_another(rig):
    rig.announce(run_job("slow", messages.BATCH))
    rig.scheduler.run_next()
    rig.announce(run_job("quick"))
    rig.finish()
    assert rig.stepped == ["slow", "quick", "quick", "slow"]
    assert rig.begun == ["slow", "quick", "slow"]


def test_jobs_of_one_priority_go_by_their_turn_and_then_as_they_came(rig):
    rig.announce(run_job("second", turn=1), run_job("first", turn=0), run_job("third", turn=1))
    rig.finish()
    assert rig.begun == ["first", "second", "third"]


def test_a_job_of_an_unknown_priority_goes_with_the_least_urgent(rig):
    rig.announce(run_job("odd", "whenever"), run_job("batch", messages.BATCH), run_job("interactive"))
    rig.finish()
    assert rig.begun == ["interactive", "odd", "batch"]


def test_a_job_that_waits_for_a_short_while_is_waited_for(rig, monkeypatch):
    assert scheduler.PATIENCE_S == 0.5
    monkeypatch.setattr(scheduler, "PATIENCE_S", WAIT_S)  # a busy machine may take longer
    frame = Future()
    rig.scripts["waits"] = [frame, None]
    rig.announce(run_job("waits"), run_job("batch", messages.BATCH))
    rig.scheduler.run_next()
    rig.scheduler.run_next()
    assert rig.stepped == ["waits"]
    frame.set_result(None)
    rig.finish()
    assert rig.stepped == ["waits", "waits", "batch", "batch"]


def test_a_job_that_waits_for_long_is_passed_until_it_can_go_on(rig, monkeypatch):
    monkeypatch.setattr(scheduler, "PATIENCE_S", 0.0)
    frame = Future()
    rig.scripts["waits"] = [frame, None]
    rig.announce(run_job("waits"), run_job("batch", messages.BATCH))
    rig.scheduler.run_next()
    time.sleep(0.01)
    rig.scheduler.run_next()
    assert rig.stepped == ["waits", "batch"]
    frame.set_result(None)
    rig.finish()
    assert rig.stepped == ["waits", "batch", "waits", "batch"]


def test_with_all_jobs_waiting_nothing_is_done_until_one_can_go_on(rig):
    frame = Future()
    rig.scripts["waits"] = [frame, None]
    rig.announce(run_job("waits"))
    for _ in range(3):
        rig.scheduler.run_next()
    assert rig.stepped == ["waits"]
    threading.Timer(0.05, frame.set_result, (None,)).start()
    rig.finish()
    assert rig.stepped == ["waits", "waits"]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [(BadInput("no such frame", "Look."), "bad-input", "no such frame"), (ZeroDivisionError("oh"), "internal", "oh")],
)
def test_an_error_ends_its_job_alone(rig, error, code, message):
    rig.scripts["bad"] = [error]
    rig.announce(run_job("bad"), run_job("good"))
    rig.finish()
    (failed,) = [event for event in rig.emitted if isinstance(event, messages.MatteFailed)]
    assert (failed.job, failed.code) == ("bad", code)
    assert message in failed.message
    assert rig.stepped == ["bad", "good", "good"]


def test_a_job_that_is_announced_twice_is_done_once_and_again_after_its_end(rig):
    rig.announce(run_job("a"), run_job("a"))
    rig.finish()
    assert rig.stepped == ["a", "a"]
    rig.announce(run_job("a"))
    rig.finish()
    assert rig.stepped == ["a"] * 4


def test_a_drop_reaches_its_job_alone(rig):
    rig.announce(run_job("a"), run_job("b"))
    rig.scheduler.drop(pipe.DropJob("a"))
    rig.scheduler.drop(pipe.DropJob("nobody"))
    rig.scheduler.run_next()
    rig.finish()
    assert [rig.cancelled[job].is_set() for job in ("a", "b")] == [True, False]


def test_jobs_that_arrive_are_not_taken_in_while_they_are_kept_out(rig, eventually):
    rig.announce(run_job("a"))
    with rig.scheduler.keep_jobs_out() as none:
        assert none
        work = threading.Thread(target=rig.finish)
        work.start()
        time.sleep(0.05)
        assert (rig.stepped, rig.scheduler.busy) == ([], False)
    work.join(WAIT_S)
    assert rig.stepped == ["a", "a"]


def test_a_job_at_work_is_no_reason_to_wait(rig, monkeypatch):
    monkeypatch.setattr(scheduler, "_LEAVING_S", WAIT_S)
    rig.announce(run_job("a"))
    rig.scheduler.run_next()
    began = time.monotonic()
    with rig.scheduler.keep_jobs_out() as none:
        assert not none
    assert time.monotonic() - began < scheduler._LEAVING_S


def test_a_job_that_has_said_its_last_word_is_waited_for(rig, monkeypatch):
    monkeypatch.setattr(scheduler, "_LEAVING_S", WAIT_S)  # a busy machine may take longer than a second
    rig.announce(run_job("a"))
    rig.scheduler.run_next()
    rig.scheduler.note_last_word("a")
    rig.scheduler.note_last_word("nobody")
    leaving = threading.Timer(0.1, rig.finish)
    leaving.start()
    with rig.scheduler.keep_jobs_out() as none:
        assert none
    leaving.join(WAIT_S)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(scheduler.Running) == {"waits_since": 0.0, "over": False}


def test_it_works_for_ever_on_what_arrives(rig, eventually):
    threading.Thread(target=rig.scheduler.run, daemon=True).start()
    for job in ("a", "b"):
        rig.announce(run_job(job))
        eventually(lambda job=job: rig.stepped[-2:] == [job, job], f"job {job} is done")


def test_a_job_whose_priority_is_raised_goes_first_from_its_next_step_on(rig):
    rig.scripts = {"one": [None] * 3, "other": [None] * 3}
    rig.announce(run_job("one", messages.BATCH), run_job("other", messages.BATCH))
    rig.scheduler.run_next()
    rig.scheduler.set_priority(pipe.SetPriority("other", messages.INTERACTIVE, 0))
    rig.scheduler.set_priority(pipe.SetPriority("nobody", messages.INTERACTIVE, 0))
    rig.finish()
    assert rig.stepped == ["one", "other", "other", "other", "one", "one"]


def test_a_job_that_is_not_taken_in_yet_goes_by_its_new_priority(rig):
    rig.announce(run_job("one"), run_job("other"))
    rig.scheduler.set_priority(pipe.SetPriority("one", messages.BATCH, 0))
    rig.finish()
    assert rig.stepped == ["other", "other", "one", "one"]


def test_the_job_at_work_is_that_of_the_last_step_until_its_end(rig):
    assert rig.scheduler.job_at_work is None
    rig.announce(run_job("a"))
    rig.scheduler.run_next()
    assert rig.scheduler.job_at_work == "a"
    rig.finish()
    assert rig.scheduler.job_at_work is None


def test_a_job_is_patient_for_half_a_second():
    waits = scheduler.Running("a", (0, 0), 1, iter(()), Future(), time.monotonic())
    assert (waits.idle, waits.stuck) == (True, False)
    waits.waits_since -= scheduler.PATIENCE_S
    assert waits.stuck
    waits.waits_for.set_result(None)
    assert (waits.idle, waits.stuck) == (False, False)
    assert scheduler.PATIENCE_S == 0.5
