"""Answers requests for pictures and pixel values; a frame that cannot be shown is a picture that says why."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client.disk_errors import disk_error
from videomama_client.errors import VideoMaMaError

from videomama_server.web.any_names import Json, header_of
from videomama_server.web.clip_files import ClipFiles
from videomama_server.web.message_picture import message_picture
from videomama_server.web.picture_cache import PictureCache
from videomama_server.web.picture_query import at_of, clip_of, frame_of, wanted_of
from videomama_server.web.pictures import Encoded, Pictures
from videomama_server.web.site import Site
from videomama_server.web.views import view_called

ENCODED_BYTES = 256 << 20  # of pictures that are kept as files
MESSAGE = "X-Picture-Message"  # header of a picture that is only a message; percent-encoded
_THREADS = max(2, min(4, os.cpu_count() or 2))  # pictures that are made at once
_LOOK_S = 0.2  # how often it is asked whether the browser still waits
_CACHING = {"Cache-Control": "private, no-cache"}  # it is asked for again, and the answer is short where it is the same
Result = TypeVar("Result")


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of pictures."""
    desk = PictureDesk(site)
    return [
        Route("/pictures/{view}", desk.picture),
        Route("/pixel", desk.pixel),
    ]


class PictureDesk:
    """Makes the pictures that browsers ask for, some at once, and keeps them."""

    def __init__(self, site: Site) -> None:
        self._pictures = Pictures(ClipFiles(site.permit))
        self._encoded = PictureCache[Encoded](ENCODED_BYTES, lambda made: len(made.content))
        self._threads = ThreadPoolExecutor(_THREADS, "picture")

    async def picture(self, request: Request) -> Response:
        """Answer with a picture of one frame."""
        view = view_called(request.path_params["view"])
        return await self._in_turn(request, lambda: self._answer(request, view.name))

    async def pixel(self, request: Request) -> Response:
        """Answer with the numbers of one pixel in each file, by role."""
        clip, frame, at = clip_of(request.query_params), frame_of(request.query_params), at_of(request.query_params)
        return await self._in_turn(request, lambda: _numbers(self._pictures.values(clip, frame, at)))

    async def _in_turn(self, request: Request, work: Callable[[], Response]) -> Response:
        """Do it in a thread; where the browser no longer waits before it is begun, it is left."""
        coming = asyncio.wrap_future(self._threads.submit(work))
        while not coming.done():
            await asyncio.wait({coming}, timeout=_LOOK_S)
            if not coming.done() and await request.is_disconnected():
                coming.cancel()
                return Response(status_code=204)
        return await coming

    def _answer(self, request: Request, view: str) -> Response:
        try:
            clip, wanted = clip_of(request.query_params), wanted_of(request.query_params, view)
            key = (self._pictures.files.stamps(clip, wanted.frame), clip, wanted)
            tag = f'"{hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()}"'
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers={**_CACHING, "ETag": tag})
            made = self._encoded.get(key, lambda: self._pictures.encoded(clip, wanted))
        except VideoMaMaError as error:
            return _said(error)
        except OSError as error:
            return _said(disk_error(error))
        return Response(made.content, media_type=made.media_type, headers={**_CACHING, "ETag": tag})


def _said(error: VideoMaMaError) -> Response:
    """Return a picture of an error. Its status is 200: a browser shows it and tells of no failure."""
    return Response(message_picture(error), media_type="image/svg+xml", headers={MESSAGE: header_of(str(error)[:1000])})


def _numbers(found: dict[str, list[float]]) -> Response:
    """Return numbers as JSON, which knows no NaN and no infinity: these are texts."""
    known = {
        role: [value if abs(value) < float("inf") else str(value) for value in values] for role, values in found.items()
    }
    return Json(known)
