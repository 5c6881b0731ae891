"""Server-sent events: a part of a page is sent again whenever it has changed, at most a second behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

EVERY_S = 0.7
_SIGN_S = 10.0  # after which something is sent, so that a browser that is gone is noticed


def stream(make: Callable[[], str]) -> StreamingResponse:
    """Return the events of a part; `make` is called in another thread."""
    return StreamingResponse(_events(make), media_type="text/event-stream")


async def _events(make: Callable[[], str]) -> AsyncIterator[str]:
    sent, quiet = None, 0.0
    while True:
        part = await run_in_threadpool(make)
        if part != sent:
            yield _event(part)
            sent, quiet = part, 0.0
        elif quiet >= _SIGN_S:
            yield ": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(EVERY_S)
        quiet += EVERY_S


def _event(text: str) -> str:
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
