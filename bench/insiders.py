"""Attempts by a client that holds the keys to make the server read or write what it may not, or hang; with proof."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from grounds import FRAMES, Grounds, Peer, unix_socket
from strangers import Attempt
from videomama_client import messages
from videomama_client.digests import content_digest, file_proof

_SYSTEM = (
    "/proc/self/environ",
    "/proc/self/mem",
    "/proc/1/cmdline",
    "/proc/self/fd/0",
    "/dev/zero",
    "/dev/random",
    "/dev/stdin",
    "/dev/fd/0",
    "/sys/kernel/notes",
    "/proc/self/root/etc/hostname",
)
_ODD = (
    "a\nb",
    "a\0b",
    "a\rb",
    "\x1b[2J",
    "a\x85b",
    "caf\udce9",
    "x" * 5000,
    "a\u2028b",
    "%s%n",
    "..",
    "~root",
    "",
    "a\n2026-01-01 00:00:00,000 server INFO forged",
    "http://127.0.0.1/a",
    "//server/share/a",
    "C:\\a",
    "NUL",
    "|id",
)
_OWN = ("entries/ab", "sequences/mine", "spool", "spool/tmpabc", "memo", "holds", "folded", "entries/../spool")
Try = Callable[[Grounds], str]


def attempts(grounds: Grounds, count: int) -> Iterator[Attempt]:
    """Try every way `count` times, and look after each kind whether what nobody may change has changed."""
    for kind, once in _TRIES.items():
        before = grounds.untouched()
        got = [once(grounds) for _ in range(count)]
        if grounds.untouched() != before:
            got[-1] += "something outside was changed"
        yield from ((kind, each) for each in got)


def is_served(grounds: Grounds) -> bool:
    """Whether an honest proof and an honest job work, and their alpha is fetched: else the attempts prove nothing."""
    file = grounds.root / "plate.0001.exr"
    done = grounds.peer.finish(grounds.order())
    return not _kept(grounds, file) and isinstance(done, messages.MatteDone) and done.frame_count == FRAMES


def _kept(grounds: Grounds, path: Path | str, real: Path | None = None) -> bool:
    """Whether a proof of a file was refused, or is not that of the real file."""
    nonce = uuid.uuid4().hex
    answer, _ = grounds.peer.ask(messages.ProveFile(uuid.uuid4().hex, str(path), nonce))
    if not isinstance(answer, messages.FileProved):
        return isinstance(answer, messages.RequestRefused)
    return not answer.digest or (real is not None and answer.digest != file_proof(real, nonce))


def _proof_of(grounds: Grounds, path: Path | str) -> str:
    return "" if _kept(grounds, path) else f"a proof of {str(path)[:80]!r}"


def _job_with(grounds: Grounds, **changes: object) -> str:
    """Try a job that must fail; one that says nothing hangs, which counts too."""
    last = grounds.peer.finish(grounds.order(**changes))
    refused = isinstance(last, (messages.MatteFailed, messages.RequestRefused)) and last.code != "internal"
    return "" if refused else f"{type(last).__name__} for {str(changes)[:120]!r}"


def _role(grounds: Grounds) -> str:
    return grounds.rng.choice([messages.PLATE, messages.MASK])


def _dots(grounds: Grounds) -> str:
    """Return a way out of the root by dots, with turns."""
    turns = [".", "", "out/..", "./.", "nothere/.."]
    middle = "/".join(grounds.rng.choice(turns) for _ in range(grounds.rng.randint(0, 5)))
    return f"{grounds.root}/{middle}/../secret"


def _prove_by_dots(grounds: Grounds) -> str:
    name = grounds.rng.choice(["note.txt", "plate.0001.exr", "../secret/mask.0002.exr"])
    return _proof_of(grounds, f"{_dots(grounds)}/{name}")


def _read_by_dots(grounds: Grounds) -> str:
    role = _role(grounds)
    return _job_with(grounds, **{role: f"{_dots(grounds)}/{role}.####.exr"})


def _read_by_name(grounds: Grounds) -> str:
    role = _role(grounds)
    frame = grounds.rng.randint(1, FRAMES)
    pattern = grounds.rng.choice(
        [f"{role}.####.exr", f"{role}.%04d.exr", f"{role}.{frame:04d}.exr", f"{role}.1-3#.exr"]
    )
    return _job_with(grounds, **{role: grounds.secret / pattern})


def _link_out(grounds: Grounds) -> str:
    folder, role = grounds.fresh(), _role(grounds)
    way = grounds.rng.choice(["files", "folder", "chain", "one frame"])
    if way == "files" or way == "one frame":
        for frame in range(1, FRAMES + 1):
            source = grounds.secret if way == "files" or frame == FRAMES else grounds.root
            (folder / f"{role}.{frame:04d}.exr").symlink_to(source / f"{role}.{frame:04d}.exr")
        place = folder
    else:
        (folder / "first").symlink_to(grounds.secret if way == "folder" else folder / "second")
        (folder / "second").symlink_to(Path("../../secret"))
        place = folder / "first"
    out = grounds.rng.choice(["", str(folder / "out" / "a.####.exr")])
    return _job_with(grounds, **{role: place / f"{role}.####.exr", "out": out}) or _proof_of(
        grounds, place / f"{role}.{FRAMES:04d}.exr"
    )


def _system_file(grounds: Grounds) -> str:
    name = grounds.rng.choice(_SYSTEM)
    link = grounds.fresh() / "plate.0001.exr"
    link.symlink_to(name)
    path = grounds.rng.choice([name, link])
    return _proof_of(grounds, path) or _job_with(grounds, **{_role(grounds): path})


def _no_file(grounds: Grounds) -> str:
    """Put a pipe, a socket or a folder in the place of a frame; a link to one, too."""
    role, folder = _role(grounds), grounds.fresh()
    frame = folder / f"{role}.0002.exr"
    for number in (1, 3):
        shutil.copy(grounds.root / f"{role}.{number:04d}.exr", folder)
    kind = grounds.rng.choice(["pipe", "socket", "folder", "link to a pipe"])
    if kind.endswith("pipe"):
        os.mkfifo(folder / "pipe")
        (folder / "pipe").rename(frame) if kind == "pipe" else frame.symlink_to(folder / "pipe")
    elif kind == "folder":
        frame.mkdir()
    with unix_socket(frame) if kind == "socket" else nullcontext():
        return _proof_of(grounds, frame) or _job_with(grounds, **{role: folder / f"{role}.####.exr"})


def _sparse(grounds: Grounds) -> str:
    """Offer a file of a terabyte: with nothing in it, or with the header of a small picture."""
    role, folder = _role(grounds), grounds.fresh()
    for frame in range(1, FRAMES + 1):
        path = folder / f"{role}.{frame:04d}.exr"
        shutil.copy(grounds.root / path.name, path)
        with path.open("r+b") as file:
            if frame == 2:
                file.truncate(grounds.rng.choice([0, 300]))
            file.truncate(1 << 40)
    return _job_with(grounds, **{role: folder / f"{role}.####.exr"})


def _odd_name(grounds: Grounds) -> str:
    odd = grounds.rng.choice(_ODD)
    name = grounds.rng.choice([odd, f"{grounds.root}/{odd}", f"{grounds.root}/{odd}.####.exr"])
    field = grounds.rng.choice([messages.PLATE, messages.MASK, "out"])
    if field == "out" and not name:  # that stands for the cache's own sequences
        name = odd or "x"
    return _proof_of(grounds, name) or (
        "" if _is_name(name) and field == "out" else _job_with(grounds, **{field: name})
    )


def _is_name(name: str) -> bool:
    """Whether a file may well be called so."""
    return name.isprintable() and name.endswith(".exr") and len(name) < 250


def _write_outside(grounds: Grounds) -> str:
    folder = grounds.fresh()
    (folder / "link").symlink_to(grounds.secret)
    places = ["/etc", grounds.secret, grounds.secret / "new", _dots(grounds), folder / "link", folder / "link" / "new"]
    name = grounds.rng.choice(["alpha.####.exr", "plate.####.exr", "alpha.%04d.tif", "note.txt", "alpha.####.png"])
    return _job_with(grounds, out=f"{grounds.rng.choice(places)}/{name}")


def _write_into_cache(grounds: Grounds) -> str:
    name = grounds.rng.choice(["alpha.####.exr", "plate.####.exr"])
    return _job_with(grounds, out=grounds.cache / grounds.rng.choice(_OWN) / name)


def _write_over_input(grounds: Grounds) -> str:
    (link := grounds.root.parent / "root" / uuid.uuid4().hex).symlink_to(grounds.root)
    place = grounds.rng.choice([grounds.root, grounds.root / "." / "out" / "..", link])
    return _job_with(grounds, out=f"{place}/{_role(grounds)}.####.exr")


def _write_through_link(grounds: Grounds) -> str:
    """Lay links to the secret where alphas go: they may be replaced and not followed."""
    folder = grounds.fresh()
    for frame in range(1, FRAMES + 1):
        (folder / f"alpha.{frame:04d}.exr").symlink_to(grounds.secret / grounds.rng.choice(["note.txt", "new.exr"]))
    form = grounds.rng.choice(["", "half"])
    last = grounds.peer.finish(grounds.order(out=folder / "alpha.####.exr", dtype=form))
    followed = isinstance(last, messages.MatteDone) and any(path.is_symlink() for path in folder.iterdir())
    return "" if last is not None and not followed else "a link was followed, or the job hangs"


def _fetch_swapped(grounds: Grounds) -> str:
    """Put something else in the place of a finished alpha and fetch that."""
    folder = grounds.fresh()
    grounds.peer.send(order := grounds.order(out=folder / "alpha.####.exr"))
    job = ""
    while not isinstance(heard := grounds.peer.hear()[0], (messages.MatteDone, messages.MatteFailed, type(None))):
        job = heard.job if getattr(heard, "request", "") == order.request else job
    alpha = folder / "alpha.0001.exr"
    alpha.unlink()
    way = grounds.rng.choice(["link", "pipe", "sparse", "folder", "system"])
    if way in ("link", "system"):
        alpha.symlink_to(grounds.secret / "note.txt" if way == "link" else "/proc/self/environ")
    elif way == "pipe":
        os.mkfifo(alpha)
    elif way == "sparse":
        with alpha.open("wb") as file:
            file.truncate(1 << 40)
    else:
        shutil.rmtree(folder)
        (folder.parent / folder.name).symlink_to(grounds.secret)
    answer, content = grounds.peer.ask(messages.FetchAlpha(uuid.uuid4().hex, job, 1))
    return "" if isinstance(answer, messages.RequestRefused) and not content else f"{way}: {content!r:.80}"


def _inline_paths(grounds: Grounds) -> str:
    """Send an inline job whose names are paths: no frame may come from there."""
    files = [grounds.secret / f"{role}.0001.exr" for role in (messages.PLATE, messages.MASK)]
    digests = [[content_digest(file)] if grounds.rng.random() < 0.5 else ["0" * 32] for file in files]
    names = [grounds.rng.choice([grounds.secret, "../../secret", "/proc/self", ""]) for _ in files]
    order = grounds.order(
        plate=f"{names[0]}/plate.####.exr",
        mask=f"{names[1]}/mask.####.exr",
        inline=True,
        inline_frame_numbers=[1],
        plate_digests=digests[0],
        mask_digests=digests[1],
        out="",
    )
    last = grounds.peer.finish(order)
    if isinstance(last, messages.FrameWanted):
        return _supply_nonsense(grounds, last.job)
    return "" if isinstance(last, (messages.MatteFailed, messages.RequestRefused)) else f"{type(last).__name__}"


def _supply_nonsense(grounds: Grounds, job: str) -> str:
    """Send frames that nobody asked for, from here and as another client, and cancel the job."""
    other = Peer(grounds.known)
    try:
        tries = [
            (grounds.peer, "../../secret/plate", 1),
            (grounds.peer, messages.PLATE, -1),
            (other, messages.PLATE, 1),
        ]
        for peer, role, frame in tries:
            peer.send(messages.SupplyFrame(job, role, frame), b"not a picture")
            answer, _ = peer.hear()
            while answer is not None and not isinstance(answer, messages.RequestRefused):
                answer, _ = peer.hear()
            if answer is None:
                return f"a frame {role} {frame} was taken"
    finally:
        other.close()
    grounds.peer.send(messages.CancelJob(uuid.uuid4().hex, job))
    while not isinstance(heard := grounds.peer.hear()[0], (messages.MatteFailed, messages.MatteDone, type(None))):
        continue
    return "" if isinstance(heard, messages.MatteFailed) else f"{type(heard).__name__} of a job without frames"


def _guess_job(grounds: Grounds) -> str:
    job = grounds.rng.choice([uuid.UUID(int=grounds.rng.getrandbits(128)).hex, "../entries", "", "*", "0"])
    answer, content = grounds.peer.ask(messages.FetchAlpha(uuid.uuid4().hex, job, grounds.rng.randint(-1, 3)))
    return "" if isinstance(answer, messages.RequestRefused) and not content else f"job {job!r}: {content!r:.80}"


def _cache_command(grounds: Grounds) -> str:
    """Have links in the cache that lead out, and make the server prune and clear."""
    for name in ("sequences", "entries"):
        (grounds.cache / name).mkdir(exist_ok=True)
        (grounds.cache / name / uuid.uuid4().hex[:8]).symlink_to(grounds.secret)
    limit = grounds.rng.choice([0.0, -1.0, float("nan"), float("inf"), 1e300, None])
    ask = grounds.rng.choice([messages.PruneCache(uuid.uuid4().hex, limit), messages.ClearCache(uuid.uuid4().hex)])
    answer, _ = grounds.peer.ask(ask)
    return "" if isinstance(answer, (messages.CacheReported, messages.RequestRefused)) else "no answer"


def _weights_outside(grounds: Grounds) -> str:
    place = grounds.rng.choice([grounds.secret, "/proc/self", _dots(grounds), "relative", "/etc/passwd"])
    settings = replace(grounds.order().settings, engine="videomama").with_options(weights=str(place))
    last = grounds.peer.finish(grounds.order(settings=settings))
    return "" if getattr(last, "code", "") == "not-permitted" else f"{type(last).__name__} for weights in {place}"


_TRIES: dict[str, Try] = {
    "inside: proof by dots": _prove_by_dots,
    "inside: plate or mask by dots": _read_by_dots,
    "inside: plate or mask outside": _read_by_name,
    "inside: links out of the root": _link_out,
    "inside: the system's own files": _system_file,
    "inside: pipes, sockets, folders": _no_file,
    "inside: sparse files of a terabyte": _sparse,
    "inside: odd names": _odd_name,
    "inside: output outside": _write_outside,
    "inside: output into the cache": _write_into_cache,
    "inside: output over plate or mask": _write_over_input,
    "inside: output through links": _write_through_link,
    "inside: alpha swapped, then fetched": _fetch_swapped,
    "inside: inline frames that name paths": _inline_paths,
    "inside: jobs of others": _guess_job,
    "inside: cache commands, links in the cache": _cache_command,
    "inside: weights outside": _weights_outside,
}
