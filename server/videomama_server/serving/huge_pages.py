"""Has the C library of a process take large blocks of memory in huge pages: pictures come and go, and each is many."""

from __future__ import annotations

import sys
from collections.abc import Mapping

_VARIABLE = "GLIBC_TUNABLES"
_NAME = "glibc.malloc.hugetlb"
_ASK = f"{_NAME}=1"  # madvise: the system may, and falls back to small pages


def with_huge_pages(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a new process with the wish for huge pages, unless they say otherwise already.

    The system clears each page when it is first used. A UHD plate takes 37,000 small pages, which is a quarter of the
    time of reading it. Only glibc from 2.35 on heeds this; others ignore it.
    """
    own = variables.get(_VARIABLE, "")
    if not sys.platform.startswith("linux") or _NAME in own:
        return dict(variables)
    return {**variables, _VARIABLE: ":".join(filter(None, (own, _ASK)))}
