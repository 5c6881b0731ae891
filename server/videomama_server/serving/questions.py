"""The server's book of questions that only the engine worker can answer: who asked, and what follows from its death."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from videomama_client import messages
from videomama_client.errors import BadInput, InternalError, VideoMaMaError

from videomama_server import pipe

DEATHS = 2
MOST_AT_ONCE = 1000


@dataclass
class Asked:
    """One question.

    Attributes:
        client: the socket identity that the answer goes to.
        question: as the client asked it.
        deaths: workers that died with it.
    """

    client: bytes
    question: pipe.Question
    deaths: int = 0


class QuestionBook:
    """The questions that wait for an answer. Clients make their ids up, so the worker is asked under others.

    Args:
        reply: takes a client and its answer.
    """

    def __init__(self, reply: Callable[[bytes, pipe.Answer], object]) -> None:
        self._reply = reply
        self._asked: dict[str, Asked] = {}

    def add(self, client: bytes, question: pipe.Question) -> pipe.Question:
        """Enter a question and return what the worker is asked; raises `BadInput` when too many wait already."""
        if len(self._asked) >= MOST_AT_ONCE:
            raise BadInput(f"{MOST_AT_ONCE} questions wait for the engine already", "Ask again when it has answered.")
        known = uuid.uuid4().hex
        self._asked[known] = Asked(client, question)
        return replace(question, request=known)

    def waiting(self) -> list[pipe.Question]:
        """Return what the worker has not answered yet, oldest first."""
        return [replace(asked.question, request=known) for known, asked in self._asked.items()]

    def settle(self, answer: pipe.Answer) -> None:
        """Pass an answer of the worker on; one that nobody waits for is dropped."""
        asked = self._asked.pop(answer.request, None)
        if asked is not None:
            self._reply(asked.client, replace(answer, request=asked.question.request))

    def after_death(self) -> list[pipe.Question]:
        """Return what the next worker is asked; a question that was there at two deaths is refused."""
        for known, asked in list(self._asked.items()):
            asked.deaths += 1
            if asked.deaths >= DEATHS:
                kind = type(asked.question).__name__
                self._refuse(known, InternalError(f"the engine died twice over {kind}", "See the server's log."))
        return self.waiting()

    def refuse_all(self, error: VideoMaMaError) -> None:
        """Answer every question with an error."""
        for known in list(self._asked):
            self._refuse(known, error)

    def _refuse(self, known: str, error: VideoMaMaError) -> None:
        self.settle(messages.RequestRefused.by(known, error))
