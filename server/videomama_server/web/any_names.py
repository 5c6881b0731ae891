"""Puts texts into addresses, headers and JSON, names of files that are not UTF-8 among them.

Python holds a byte of such a name that is no text as half a surrogate pair, which no encoding takes as it is. Addresses
and headers show it as `\\udce9`, as the page does: no library here opens such a file, so nothing has to find it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse


def query_of(values: Mapping[str, Any]) -> str:
    """Return the query of an address."""
    return urlencode(values, errors="backslashreplace")


def part_of(text: str) -> str:
    """Return a text as a part of an address."""
    return quote(text, safe="", errors="backslashreplace")


def header_of(text: str) -> str:
    """Return a text for a header that a script decodes; a byte that is no text is shown as `\\\\udce9`."""
    return quote(text, errors="backslashreplace")


def urlencoded(value: Mapping[str, Any] | str) -> str:
    """Return what the filter `urlencode` of the templates makes of fields, or of a text."""
    return query_of(value) if isinstance(value, Mapping) else part_of(str(value))


class Json(JSONResponse):
    """JSON in ASCII; scripts of the page read a byte that is no text as half a surrogate pair, and can show it."""

    def render(self, content: Any) -> bytes:
        """Return the body; NaN and infinities are errors."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
