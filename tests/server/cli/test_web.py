"""`videomama web`: starts the page, or says what is missing."""

import builtins

import pytest
from videomama_server.cli import web as command


@pytest.fixture
def lacking(monkeypatch, forget):
    """An installation without the extra."""
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.partition(".")[0] in {"uvicorn", "starlette"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    forget("videomama_server.web", "uvicorn", "starlette")
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_the_extra_the_command_that_installs_it_is_named(videomama, lacking):
    said = videomama("web", "--no-browser")
    assert said.code == 1
    assert "not installed" in said.err
    assert "python install server" in said.err
    assert "videomama-bridge[web]" in said.err


def test_the_page_is_served_as_asked(videomama, monkeypatch, tmp_path):
    from videomama_server.web import serve

    asked = []
    monkeypatch.setattr(serve, "serve", lambda one, say: asked.append(one) or say("http://127.0.0.1:8600"))
    file = tmp_path / "connection.json"
    said = videomama("web", "--no-browser", "--port", 8600, "--connection-file", file)
    assert asked == [serve.Asked(file, 8600, browser=False)]
    assert "http://127.0.0.1:8600" in said.err
    assert command.web.name == "web"
