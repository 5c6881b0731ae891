# ruff: noqa: F401, F403 - the knob classes are found here
"""Every class of knobs, and the context in which they are evaluated."""

from __future__ import annotations

from nuke_standin.knob_base import Context, Knob, here_and_now
from nuke_standin.knobs_choice import *
from nuke_standin.knobs_link import *
from nuke_standin.knobs_named import *
from nuke_standin.knobs_number import *
from nuke_standin.knobs_points import *
from nuke_standin.knobs_text import *
