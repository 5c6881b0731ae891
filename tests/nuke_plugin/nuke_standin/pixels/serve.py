"""The child process: takes plans as JSON lines on stdin, answers with facts or with files written, one line each."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from nuke_standin.pixels import operators, reformatting
from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.picture import Picture, PictureError, black
from nuke_standin.pixels.reading import Files, read
from nuke_standin.pixels.writing import write

Plan = dict[str, Any]


class Server:
    """Evaluates plans; keeps what Reads have read between them, as one Nuke session does."""

    def __init__(self) -> None:
        self.files = Files()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request; errors of pictures are replies too."""
        try:
            return {"ok": getattr(self, "do_" + request["do"])(request)}
        except (PictureError, OSError) as error:
            return {"error": str(error)}

    def do_facts(self, request: dict[str, Any]) -> dict[str, Any]:
        picture = self.picture(request["plan"])
        return {"format": list(picture.format), "bbox": list(picture.box), "channels": list(picture.channels)}

    def do_write(self, request: dict[str, Any]) -> None:
        write(self.picture(request["plan"]), request["order"])

    def do_sample(self, request: dict[str, Any]) -> float:
        """Mean over a box of pixels; Nuke filters cubically, which agrees on flat areas only."""
        picture = self.picture(request["plan"])
        return float(picture.plane(request["channel"], Box(*request["box"])).mean())

    def do_forget(self, request: dict[str, Any]) -> None:
        self.files.forget()

    def picture(self, plan: Plan) -> Picture:
        """The picture of a plan: steps in order, each of which names its inputs by index."""
        made: list[Picture] = []
        for step in plan["steps"]:
            inputs = [None if index is None else made[index] for index in step["inputs"]]
            made.append(self._step(step, inputs))
        return made[-1]

    def _step(self, step: dict[str, Any], inputs: list[Picture | None]) -> Picture:
        op = step["op"]
        if op == "read":
            return read(step, self.files)
        if op == "black":
            return black(Format.of(step["format"]))
        if op == "reformat":
            return reformatting.reformat(step, inputs)
        return operators.OPERATORS[op](step, inputs)


def main(requests: TextIO = sys.stdin, replies: TextIO = sys.stdout) -> None:
    """Answer until the other side closes the pipe."""
    server = Server()
    for line in requests:
        replies.write(json.dumps(server.answer(json.loads(line))) + "\n")
        replies.flush()
