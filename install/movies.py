"""The verb `movies`: sets up PyAV, which reads and writes movies, and says under which licence its builds are."""

from __future__ import annotations

import argparse

from job import Job
from prepare import prepare
from stamp import read_stamp

EXTRA = "movies"
NOTICE = (
    "PyAV reads and writes movies (.mov, .mp4, .mkv, .mxf and others). Its ready-made builds hold FFmpeg with the\n"
    "encoders x264 and x265, which are under the GNU General Public License (GPL). Using them here is free. Whoever\n"
    "passes an environment with them on must keep to the GPL. VideoMaMa itself stays under Apache-2.0."
)


def add_option(parser: argparse._ActionsContainer) -> None:
    """Add the option that sets movies up together with the rest."""
    parser.add_argument(
        "--movies", action="store_true", help="read and write movies too, with PyAV, whose builds hold GPL encoders"
    )


def run(job: Job) -> int:
    """Set movies up and return 0.

    Raises:
        InstallError: the package cannot be had, or a bundle was made without it.
    """
    print(NOTICE, flush=True)
    prepare(job.request(EXTRA))
    print(f"Movies are ready: {job.environment.script('videomama')} matte --plate plate.mov ...")
    return 0


def plan_line(job: Job) -> str:
    """Say what would be done about movies; nothing is changed."""
    found = read_stamp(job.environment.stamp)
    if found is not None and EXTRA in found.extras:
        return "movies: set up already"
    if job.options.movies:
        return "movies: PyAV will be installed, about 0.1 GB; its builds hold encoders under the GPL"
    return "movies: not planned; `python install movies` sets them up (PyAV, whose builds hold encoders under the GPL)"
