"""The script of docs/examples, opened beside its pictures, refined and rendered as its reader would."""

import shutil
from pathlib import Path

import comps
import pytest
from videomama_server.media import frames

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "shot"


@pytest.mark.slow
def test_the_example_refines_and_renders(tmp_path, server, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    shot = shutil.copytree(EXAMPLE, tmp_path / "shot")
    comp = comps.start(shot, gui=True)
    try:
        comp.nuke.scriptOpen(str(shot / "shot.nk"))
        assert comp.refine().startswith("refined 1001-1004")
        comp.nuke.execute("Write1", 1002, 1002)
    finally:
        comps.end()
    alpha = frames.read_mask(shot / "render" / "shot.1002.exr").pixels[..., 0]
    mask = frames.read_mask(shot / "mask.1002.exr").pixels[..., 0]
    soft = ((alpha > 0.05) & (alpha < 0.95)).sum()
    assert soft > 3 * ((mask > 0.05) & (mask < 0.95)).sum()
    assert alpha.mean() == pytest.approx(mask.mean(), abs=0.05)
