"""Who may use the page: an entry file that is exchanged once, and the session cookie that it is exchanged for.

The code of an entry stands in a file of mode 0600 and in the body of one POST: never in an address, on a command
line or in a browser's history. A cookie is signed with the key of `State`, so that it survives a restart.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import html
import re
import secrets
import time
from pathlib import Path

from videomama_server.web.state import State

ENTRY_S = 600.0  # that an entry file can be used
SESSION_S = 14 * 24 * 3600  # that a session lasts
_CODE = re.compile(r"[A-Za-z0-9_-]{43}")
_COOKIE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>VideoMaMa</title>
<body onload="document.forms[0].submit()">
<form method="post" action="{address}/enter">
<input type="hidden" name="code" value="{code}">
<button>Open VideoMaMa</button>
</form>
<p>This file lets you in once, within ten minutes. The code in it: <code>{code}</code></p>
</body></html>
"""


def cookie_name(port: int) -> str:
    """Return the name of the cookie: browsers send cookies to every port of a host, so it names port and user."""
    user = hashlib.blake2b(getpass.getuser().encode(), digest_size=4).hexdigest()
    return f"videomama-{port}-{user}"


def make_entry(state: State, address: str) -> Path:
    """Write an entry file and return its path; those that are too old are removed.

    Args:
        state: of the page.
        address: of the page, such as ``http://127.0.0.1:8600``.
    """
    state.make()
    _sweep(state)
    code = secrets.token_urlsafe(32)
    return state.add_entry(f"{_digest(code)}.html", _PAGE.format(address=html.escape(address), code=code))


def take_entry(state: State, code: str) -> bool:
    """Whether a code is that of an entry file; it counts once, and the file is removed."""
    if not _CODE.fullmatch(code):
        return False
    path = state.entries / f"{_digest(code)}.html"
    try:
        is_fresh = time.time() - path.stat().st_mtime < ENTRY_S
        path.unlink()  # of two that ask at once only one gets past this
    except FileNotFoundError:
        return False
    return is_fresh


def new_cookie(state: State) -> str:
    """Return the value of a new session's cookie."""
    said = f"{int(time.time())}.{secrets.token_urlsafe(16)}"
    return f"{said}.{_signature(state, said)}"


def is_session(state: State, cookie: str) -> bool:
    """Whether a cookie is one that `new_cookie` made with the present key, and not too old."""
    found = _COOKIE.fullmatch(cookie)
    if not found or time.time() - int(found[1]) > SESSION_S:
        return False
    return hmac.compare_digest(found[3], _signature(state, f"{found[1]}.{found[2]}"))


def _digest(code: str) -> str:
    """Return what names the entry file of a code: who can list the folder learns no code from it."""
    return hashlib.blake2b(code.encode(), digest_size=16).hexdigest()


def _signature(state: State, said: str) -> str:
    return hmac.new(state.key(), said.encode(), hashlib.sha256).hexdigest()


def _sweep(state: State) -> None:
    for path in state.entries.glob("*.html"):
        try:
            if time.time() - path.stat().st_mtime >= ENTRY_S:
                path.unlink()
        except FileNotFoundError:  # another page took it meanwhile
            continue
