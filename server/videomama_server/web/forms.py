"""What a browser sent: the values of a form or of an address by name, as text."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response
from videomama_client.errors import BadInput

_MOST_FIELDS = 2000
_LONGEST_NUMBER = 15  # digits; Python limits longer ones itself


class Form:
    """Values by name; surrounding spaces do not count.

    Args:
        values: as Starlette gives them; files are left out.

    Raises:
        BadInput: a value holds a null character, which no file's name, word or number has.
    """

    def __init__(self, values: ImmutableMultiDict[str, Any]) -> None:
        self._values = [(name, value.strip()) for name, value in values.multi_items() if isinstance(value, str)]
        if any("\0" in value for _, value in self._values):
            raise BadInput("a field holds a null character", "Type the text again.")

    def text(self, name: str, default: str = "") -> str:
        """Return the last value of a name, `default` where there is none."""
        return next((value for known, value in reversed(self._values) if known == name), default)

    def texts(self, name: str) -> list[str]:
        """Return all values of a name, in order."""
        return [value for known, value in self._values if known == name]

    def below(self, prefix: str) -> dict[str, str]:
        """Return the values that are not empty of all names with a prefix, without it."""
        return {name[len(prefix) :]: value for name, value in self._values if value and name.startswith(prefix)}

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number.

        Raises:
            BadInput: it is none, or it is missing and there is no default.
        """
        text = self.text(name)
        if not text and default is not None:
            return default
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER):
            raise BadInput(f"{name} must be a whole number, not {text[:80]!r}", "Check the address or the field.")
        return int(text)

    def listed(self, name: str) -> list[Any]:
        """Return a list that a script of the page wrote as JSON; empty for a missing one.

        Raises:
            BadInput: it is no list.
        """
        try:
            found = json.loads(self.text(name) or "[]")
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
            found = None
        if not isinstance(found, list):
            raise BadInput(f"{name} is not a list", "Reload the page.")
        return found


def query(request: Request) -> Form:
    """Return the values in the address of a request."""
    return Form(request.query_params)


def with_form(handle: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that reads a posted form, and then calls `handle` in another thread."""

    async def endpoint(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=_MOST_FIELDS) as values:
            form = Form(values)
        return await run_in_threadpool(handle, request, form)

    return endpoint
