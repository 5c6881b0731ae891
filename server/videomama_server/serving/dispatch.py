"""What passes between clients and engine worker: jobs and questions to it, its news to their clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from videomama_client import messages
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.job_records import LogLine

from videomama_server import pipe
from videomama_server.cache import spool
from videomama_server.config import Config
from videomama_server.serving import job_log
from videomama_server.serving.history.keeper import Keeper
from videomama_server.serving.job_state import queue_phase, state_of
from videomama_server.serving.jobs import Job, JobBook, run_message
from videomama_server.serving.questions import QuestionBook
from videomama_server.serving.queue_order import jobs_before
from videomama_server.serving.supervisor import Supervisor

Send = Callable[[bytes, messages.Message], object]
_KEPT = (messages.MattePlanned, messages.StageBegun, messages.MatteDone, messages.MatteFailed)


class Dispatch:
    """The jobs and questions there are, and the worker they are for.

    Args:
        config: of the worker.
        send: takes the socket identity of a client and a message for it.
        note_work: called when the engine was in use.

    Attributes:
        book: the jobs.
        questions: what only the worker can answer.
        worker: the engine worker.
        loaded: what each of its engines holds, as it said last.
        history: what is kept of all jobs.
    """

    def __init__(self, config: Config, send: Send, note_work: Callable[[], None]) -> None:
        self._send = send
        self._note_work = note_work
        self.book = JobBook()
        self.questions = QuestionBook(send)
        self.worker = Supervisor(config, self.take, self._take_death)
        self.loaded: list[messages.LoadedEngine] = []
        self.history = Keeper(config.history_file)
        self._engine_ready = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            pipe.WorkerReady: self._take_ready,
            pipe.JobBegun: self._take_begun,
            pipe.FilesRead: lambda read: self.book.note_files(read.job, read.files),
            pipe.EnginesHold: self._take_usage,
            **dict.fromkeys(pipe.ANSWERS, self.questions.settle),
            **dict.fromkeys(messages.JOB_EVENTS, self._take_event),
        }

    def find(self, job: str) -> Job:
        """Return a job that runs or ended not long ago; raises `BadInput` where there is none."""
        found = self.book.find(job)
        if found is None:
            raise BadInput(f"unknown job {job[:80]}", "The server may have restarted. Submit the job again.")
        return found

    def enter(self, job: Job, again: bool = False) -> None:
        """Take a new job in: the history has it, and the worker.

        Args:
            job: of the book.
            again: whether an earlier server had it and did not finish.
        """
        self._keep(job, request=True)
        self.note(job, job_log.submitted(job, again))
        self.start(job)
        self._tell_wait(job, jobs_before(job, self.book.running()) or 0)

    def note(self, job: Job, line: LogLine) -> None:
        """Keep a line of a job's log."""
        self.history.note(job.id, line)

    def start(self, job: Job) -> None:
        """Give a job to the worker."""
        self.worker.send(run_message(job))

    def ask(self, client: bytes, question: pipe.Question) -> None:
        """Ask the worker; what it answers is passed on to the client when it comes."""
        if isinstance(question, messages.PlanFrames):
            self._note_work()  # a job will follow: the engine stays for it
        self.worker.send(self.questions.add(client, question))

    def set_priority(self, job: Job, priority: str) -> None:
        """Give a job that has not ended another priority."""
        self.book.set_priority(job, priority)
        self.worker.send(pipe.SetPriority(job.id, priority, job.turn))
        self._keep(job, request=True)
        self.note(job, job_log.line(job, f"its priority is {priority} now"))
        self.tell_queue()

    def tell_queue(self) -> None:
        """Tell the clients of the jobs that wait what they wait for, where that has changed."""
        for before, job in enumerate(self.book.queue()):
            self._tell_wait(job, before)

    def _tell_wait(self, job: Job, before: int) -> None:
        phase = None if job.begun else queue_phase(before, self._engine_ready)
        if phase is not None:
            self._take_event(messages.PhaseChanged(job.id, phase))

    def cancel(self, job: Job, error: VideoMaMaError) -> None:
        """Stop a job, which ends with `error`; one that waits ends without waiting for its turn."""
        if job.state == messages.WAITING:
            self.give_up(job, error)
        elif not job.ended:
            job.cancelled = True
            self.worker.send(pipe.DropJob(job.id))

    def give_up(self, job: Job, error: VideoMaMaError) -> None:
        """End a job from this side: its client is told, and what the worker still says of it is not heard."""
        self.worker.send(pipe.DropJob(job.id))
        self.fail(job, error)

    def fail(self, job: Job, error: VideoMaMaError) -> None:
        """End a job with an error, as if the worker had said so."""
        self._take_event(messages.MatteFailed.by(job.id, error))

    def fail_all(self, error: VideoMaMaError) -> None:
        """End every job, and refuse every question."""
        for job in self.book.running():
            self.fail(job, error)
        self.questions.refuse_all(error)

    async def retire_engine(self) -> None:
        """End the worker, which also frees what a device's driver keeps for each process that uses it."""
        self.loaded, self._engine_ready = [], False
        await self.worker.retire()

    async def unload_engine(self) -> None:
        """End the worker while no job runs; questions that it did not get to answer are asked of the next one."""
        waiting = self.questions.waiting()
        await self.retire_engine()
        unanswered = self.questions.waiting()
        for question in waiting:
            if question in unanswered:
                self.worker.send(question)

    def take(self, message: Any) -> None:
        """Take a message of the worker; one of a kind that has no handler asks for nothing."""
        handle = self._handlers.get(type(message))
        if handle is not None:
            handle(message)

    def _take_usage(self, hold: pipe.EnginesHold) -> None:
        self.loaded = hold.loaded

    def _take_ready(self, _: pipe.WorkerReady) -> None:
        self._engine_ready = True

    def _take_begun(self, begun: pipe.JobBegun) -> None:
        if self.book.note_begun(begun.job):
            job = self.find(begun.job)
            self._keep(job)
            self.note(job, job_log.line(job, "begun"))

    def _take_event(self, event: messages.JobEvent) -> None:
        news = self.book.note(event)
        if news is not None:
            self._tell(news)

    def _tell(self, event: messages.JobEvent) -> None:
        """Send an event to the client of its job, in the order in which events came."""
        job = self.find(event.job)
        self._note_work()
        if job.ended:
            spool.remove(job.spool)
        for line in job_log.of(job, event):
            self.note(job, line)
        if isinstance(event, _KEPT):
            self._keep(job, event if isinstance(event, messages.MatteDone) else None)
        if job.client:
            self._send(job.client, event)

    def _keep(self, job: Job, result: messages.MatteDone | None = None, request: bool = False) -> None:
        """Enter a job into the history as it is now, with its request where that is new."""
        bare = replace(job.bare_request, request="") if request else None
        self.history.put(state_of(job), bare, result)

    def _take_death(self, code: int) -> None:
        self.loaded, self._engine_ready = [], False
        again, failed = self.book.after_death()
        for event in failed:
            self._tell(event)
        for job in again:
            if job.begun:
                self.note(
                    job, job_log.line(job, f"the engine worker ended with code {code}; it starts again", "warning")
                )
            self.start(job)
        for question in self.questions.after_death():
            self.worker.send(question)
