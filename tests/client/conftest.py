"""What the client's tests share."""

import pytest
from videomama_client.connection import Connection, new_keys


@pytest.fixture
def unheard():
    """A connection to an endpoint where nothing listens."""
    server_public, _ = new_keys()
    client_public, client_secret = new_keys()
    return Connection("tcp://127.0.0.1:1", server_public, client_public, client_secret, 1, "0")
