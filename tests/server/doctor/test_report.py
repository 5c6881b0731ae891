"""The report as a whole: what is decided from several parts together."""

from dataclasses import replace

import pytest
from videomama_server.config import Config
from videomama_server.doctor import report


@pytest.mark.parametrize(
    ("device", "computes", "there", "said"),
    [
        ("auto", True, True, "the model"),
        ("auto", True, False, "no weights"),
        ("auto", False, True, "no GPU"),
        ("cpu", True, True, "no GPU"),
    ],
)
def test_what_auto_stands_for(tiny_checkpoint, tmp_path, device, computes, there, said):
    config = replace(Config(), device=device, weights=tiny_checkpoint if there else tmp_path)
    assert said in report._automatic(config, computes).what
