"""What passes between clients and engine worker: jobs and questions to it, its news to their clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from videomama_client import messages
from videomama_client.errors import BadInput, VideoMaMaError

from videomama_server import pipe
from videomama_server.cache import spool
from videomama_server.config import Config
from videomama_server.serving.jobs import Job, JobBook, run_message
from videomama_server.serving.questions import QuestionBook
from videomama_server.serving.supervisor import Supervisor

Send = Callable[[bytes, messages.Message], object]


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
    """

    def __init__(self, config: Config, send: Send, note_work: Callable[[], None]) -> None:
        self._send = send
        self._note_work = note_work
        self.book = JobBook()
        self.questions = QuestionBook(send)
        self.worker = Supervisor(config, self.take, self._take_death)
        self.loaded: list[messages.LoadedEngine] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            pipe.JobBegun: lambda begun: self.book.note_begun(begun.job),
            pipe.FilesRead: lambda read: self.book.note_files(read.job, read.files),
            pipe.EnginesHold: self._take_usage,
            **dict.fromkeys(pipe.ANSWERS, self.questions.settle),
            **dict.fromkeys(messages.JOB_EVENTS, self._take_event),
        }

    def find(self, job: str) -> Job:
        """Return a job that runs or ended not long ago; raises `BadInput` where there is none."""
        found = self.book.find(job)
        if found is None:
            raise BadInput(f"no job is called {job[:80]}", "The server may have been started again: submit anew.")
        return found

    def start(self, job: Job) -> None:
        """Give a job to the worker."""
        self.worker.send(run_message(job))

    def ask(self, client: bytes, question: pipe.Question) -> None:
        """Ask the worker; what it answers is passed on to the client when it comes."""
        if isinstance(question, messages.PlanFrames):
            self._note_work()  # a job will follow: the engine stays for it
        self.worker.send(self.questions.add(client, question))

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
        self.loaded = []
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
        self._send(job.client, event)

    def _take_death(self, code: int) -> None:  # noqa: ARG002  (logged where it was seen)
        self.loaded = []
        again, failed = self.book.after_death()
        for event in failed:
            self._tell(event)
        for job in again:
            self.start(job)
        for question in self.questions.after_death():
            self.worker.send(question)
