"""Books of jobs."""

import pytest
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.serving.jobs import JobBook

REQUEST = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())


@pytest.fixture
def book():
    return JobBook()


@pytest.fixture
def job(book):
    """A job of one mask, by path, that waits in the book."""
    return book.add(b"client", REQUEST)
