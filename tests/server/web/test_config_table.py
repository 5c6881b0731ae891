"""Where each value of the config comes from."""

from videomama_client.messages import ConfigValue
from videomama_client.server_config import Setting
from videomama_server import config
from videomama_server.config import Config
from videomama_server.web import config_table

PLAIN = config.as_texts(Config())


def row(name, served, here):
    served = None if served is None else [ConfigValue(name, served)]
    return next(one for one in config_table.rows(served, PLAIN, here) if one.name == name)


def test_without_a_server_the_source_is_here():
    assert row("threads", None, {}).source == "default"
    assert row("threads", None, {"threads": Setting("4", "$VIDEOMAMA_THREADS")}).source == "$VIDEOMAMA_THREADS"


def test_the_running_servers_value_counts_and_a_difference_is_named():
    found = row("threads", "8", {"threads": Setting("4", "config.toml")})
    assert (found.value, found.source) == ("8", "the running server")
    assert "config.toml sets 4" in found.note


def test_a_value_that_nobody_here_set_is_the_servers_own():
    assert row("threads", "8", {}).source == "the running server's command line or environment"
    assert row("threads", PLAIN["threads"], {}).source == "default"
    assert row("threads", "4", {"threads": Setting("4", "config.toml")}).source == "config.toml"
