"""The kinds of side results: what else can be made of each frame of a job once its alpha is there.

A new kind is a row of the table, with a step that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from videomama_client.errors import BadInput
from videomama_client.messages import FOREGROUND, SideResult
from videomama_client.settings import Resolved
from videomama_client.wording import choices

from videomama_server.arrays import FloatArray
from videomama_server.foreground import Colouring
from videomama_server.media.delivery import COLOUR, Content, Delivery


class SideStep(Protocol):
    """Makes one kind of side result for a job whose settings are settled."""

    def make(self, plate: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return the pixels (H, W) or (H, W, C); called by several threads at once.

        Args:
            plate: (H, W, 3) the whole plate, as read.
            alpha: (H, W) of the last stage, 0..1.
        """
        ...

    def key_fields(self) -> dict[str, Any]:
        """Return all but plate, alpha and pixel type that the result depends on, as JSON can say it."""
        ...

    def attributes(self) -> dict[str, str]:
        """Return strings for the header of the result's files."""
        ...


@dataclass(frozen=True)
class SideKind:
    """One kind.

    Attributes:
        content: what its files hold.
        step: returns what makes it, by what was asked for and the settings of the job.
    """

    content: Content
    step: Callable[[SideResult, Resolved], SideStep]


@dataclass(frozen=True)
class Side:
    """A side result that a job was asked for, and where it goes."""

    asked: SideResult
    delivery: Delivery


_KINDS = {
    FOREGROUND: SideKind(COLOUR, lambda asked, settings: Colouring(settings.colorspace, asked.premultiplied)),
}


def kind_of(asked: SideResult) -> SideKind:
    """Return the kind of what was asked for; raises `BadInput` where there is none of that name."""
    kind = _KINDS.get(asked.kind)
    if kind is None:
        raise BadInput(f"unknown side result {asked.kind!r}", choices(asked.kind, list(_KINDS)))
    return kind


def check(asked: Sequence[SideResult]) -> None:
    """Raise `BadInput` for side results that cannot be asked for together: of no known kind, twice, without a name."""
    kinds = [one.kind for one in asked]
    for one in asked:
        kind_of(one)
        if not one.out:
            raise BadInput(f"{one.kind} has no file name", f"Name its files, such as {one.kind}.####.exr.")
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), "")
    if twice:
        raise BadInput(f"{twice} is asked for twice", "Ask for it once.")
