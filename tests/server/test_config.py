import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.config import Config, as_flags, as_texts, callers, from_texts, load


@pytest.fixture
def toml(tmp_path):
    """Write a config file and return the environment that names it."""

    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return {"VIDEOMAMA_CONFIG": str(path)}

    return write


@pytest.fixture
def bare(tmp_path):
    """An environment whose config file says nothing."""
    (tmp_path / "empty.toml").touch()
    return {"VIDEOMAMA_CONFIG": str(tmp_path / "empty.toml")}


def test_a_config_file_that_was_named_must_be_there(tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, tmp_path / "none.toml"):
        load({}, {"VIDEOMAMA_CONFIG": str(tmp_path / "none.toml")})


def test_without_anything_the_defaults_hold(bare):
    assert load({}, bare) == Config()
    assert load({"port": None, "host": None}, bare) == Config()


def test_flag_over_environment_over_file_over_default(toml):
    environment = toml('port = 1001\nhost = "file"\nthreads = 3\n')
    environment |= {"VIDEOMAMA_PORT": "1002", "VIDEOMAMA_HOST": "environment"}
    config = load({"port": 1003, "host": None}, environment)
    assert (config.port, config.host, config.threads) == (1003, "environment", 3)
    assert config.engine_idle_s == Config().engine_idle_s


def test_an_empty_variable_stands_for_not_given(toml):
    assert load({}, {**toml("port = 7"), "VIDEOMAMA_PORT": ""}).port == 7


def test_without_a_named_file_the_users_own_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "videomama").mkdir()
    (tmp_path / "videomama" / "config.toml").write_text("port = 4242")
    assert load({}).port == 4242


def test_every_field_can_come_from_the_environment(bare, tmp_path):
    values = {
        "cache_dir": str(tmp_path),
        "cache_limit_gb": "1.5",
        "connection_file": str(tmp_path / "c.json"),
        "host": "0.0.0.0",
        "port": "5555",
        "roots": f"{tmp_path}:{tmp_path / 'b'}",
        "engine_idle_s": "1",
        "engine_hang_s": "3",
        "read_limit_s": "90",
        "supply_limit_s": "45",
        "server_idle_s": "2",
        "threads": "5",
        "weights": str(tmp_path / "w"),
        "device": "cpu",
        "dtype": "fp32",
        "max_vram_gb": "7.5",
        "give_back_memory": "off",
        "compile": "off",
        "delivery": "link",
    }
    assert set(values) == {known.name for known in fields(Config)}
    config = load({}, bare | {f"VIDEOMAMA_{name.upper()}": value for name, value in values.items()})
    served = (tmp_path, 1.5, tmp_path / "c.json", "0.0.0.0", 5555, (tmp_path, tmp_path / "b"), 1.0, 3.0, 90.0, 45.0)
    assert config == Config(*served, 2.0, 5, tmp_path / "w", "cpu", "fp32", 7.5, "off", "off", "link")


def test_paths_are_expanded_and_roots_resolved(toml, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    config = load({}, toml('cache_dir = "~/cache"\nroots = ["~/link", "/a/../b"]'))
    assert config.cache_dir == tmp_path / "cache"
    assert config.roots == (tmp_path / "real", Path("/b").resolve())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "abc"),
        ("port", -1),
        ("port", 65536),
        ("port", 80.5),
        ("port", []),
        ("threads", 0),
        ("threads", "many"),
        ("threads", 10**9),
        ("cache_limit_gb", -0.5),
        ("cache_limit_gb", float("nan")),
        ("cache_limit_gb", float("inf")),
        ("cache_limit_gb", {}),
        ("engine_idle_s", "soon"),
        ("server_idle_s", -1),
        ("cache_dir", 5),
        ("cache_dir", "~nobody-of-this-name/cache"),
        ("connection_file", []),
        ("roots", 5),
        ("roots", [5]),
        ("roots", "a\0b"),
        ("delivery", "move"),
        ("delivery", "Copy"),
    ],
)
def test_a_bad_value_is_an_error_that_names_it_and_where_it_came_from(bare, name, value, raises_with_hint):
    with raises_with_hint(BadInput, "the command line", name, repr(value)):
        load({name: value}, bare)


def test_a_bad_value_of_the_environment_names_the_variable(bare, raises_with_hint):
    with raises_with_hint(BadInput, "$VIDEOMAMA_PORT", "'abc'"):
        load({}, bare | {"VIDEOMAMA_PORT": "abc"})


@pytest.mark.parametrize("text", ["threads = 0", "cache_limit_gb = nan", "cache_limit_gb = inf", "port = 1979-05-27"])
def test_a_bad_value_of_the_file_names_the_file(toml, text, raises_with_hint):
    environment = toml(text)
    with raises_with_hint(BadInput, environment["VIDEOMAMA_CONFIG"], text.split()[0]):
        load({}, environment)


@pytest.mark.parametrize("text", ["prot = 1", "[server]\nport = 1", "log_file = 'x'"])
def test_an_unknown_setting_is_an_error_that_lists_those_there_are(toml, text, raises_with_hint):
    environment = toml(text)
    with raises_with_hint(BadInput, environment["VIDEOMAMA_CONFIG"], "not a setting"):
        load({}, environment)
    with pytest.raises(BadInput) as raised:
        load({}, environment)
    assert all(known.name in raised.value.hint for known in fields(Config))


@pytest.mark.parametrize("content", [b"port = ", b"port 5", b"\xff\xfe\x00", b"port = 1\nport = 2"])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path, content, raises_with_hint):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with raises_with_hint(BadInput, path):
        load({}, {"VIDEOMAMA_CONFIG": str(path)})


def test_a_folder_in_the_files_place_is_an_error_that_names_it(tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, tmp_path):
        load({}, {"VIDEOMAMA_CONFIG": str(tmp_path)})


def test_a_config_passes_to_another_process_as_json(bare, tmp_path):
    config = load({"roots": [str(tmp_path), "/a:b"], "port": 5, "server_idle_s": 0.5, "cache_dir": "~/c"}, bare)
    assert load(json.loads(json.dumps(as_flags(config))), {}) == config
    assert load(json.loads(json.dumps(as_flags(Config()))), {}) == Config()


def test_the_log_lies_beside_the_connection_file():
    assert Config(connection_file=Path("/state/connection-host.json")).log_file == Path("/state/connection-host.log")


def test_relative_paths_count_from_the_file_that_says_them_else_from_here(toml, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    environment = toml('cache_dir = "cache"\nroots = ["plates"]\n') | {"VIDEOMAMA_WEIGHTS": "weights"}
    config = load({"connection_file": "state.json"}, environment)
    assert (config.cache_dir, config.roots) == (tmp_path / "cache", (tmp_path / "plates",))
    assert (config.weights, config.connection_file) == (tmp_path / "here" / "weights", tmp_path / "here" / "state.json")


def test_a_default_is_absolute_even_where_the_system_s_folder_is_not(bare, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert load({}, bare).cache_dir.is_absolute()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a folder that is used cannot be removed")
def test_a_relative_path_in_a_folder_that_is_gone_is_reported(bare, tmp_path, monkeypatch, raises_with_hint):
    monkeypatch.chdir(Path.cwd())
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with raises_with_hint(BadInput, "VIDEOMAMA_CACHE_DIR sets cache_dir to the relative 'cache'"):
        load({}, bare | {"VIDEOMAMA_CACHE_DIR": "cache"})
    assert load({}, bare | {"VIDEOMAMA_CACHE_DIR": "/cache"}).cache_dir == Path("/cache")


def test_a_config_comes_back_from_its_texts_and_unknown_keys_are_left_out(tmp_path):
    held = replace(Config(), roots=(tmp_path / "a", tmp_path / "b"), max_vram_gb=7.5, port=5)
    assert from_texts({**as_texts(held), "of_a_newer_server": "1"}) == held


def test_what_nobody_sets_is_what_the_pages_say(tmp_path):
    """docs/durability.md and docs/security.md give some of these numbers."""
    kept = {name: value for name, value in as_flags(Config()).items() if not isinstance(value, str)}
    assert kept == {
        "cache_limit_gb": 100.0,
        "port": 0,
        "roots": [],
        "engine_idle_s": 900.0,
        "engine_hang_s": 120.0,
        "read_limit_s": 300.0,
        "supply_limit_s": 120.0,
        "server_idle_s": 0.0,
        "threads": 2,
        "max_vram_gb": 0.0,
    }
    assert Config(cache_dir=tmp_path).folded_dir == tmp_path / "folded"
    assert str(Config().log_file) in Config().log_location


@pytest.mark.parametrize(("name", "values"), [("port", (0, 65535)), ("threads", (1, 256)), ("cache_limit_gb", (0,))])
def test_the_bounds_themselves_are_allowed(bare, name, values):
    for value in values:
        assert getattr(load({name: value}, bare), name) == value


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("threads", 257, "It must be 1 to 256."),
        ("port", 0.5, "It must be a whole number."),
        ("cache_limit_gb", "x", "It must be a number, 0 or more."),
        ("delivery", "move", "It must be copy or link."),
    ],
)
def test_the_hint_says_what_would_be_valid(bare, name, value, hint):
    with pytest.raises(BadInput) as raised:
        load({name: value}, bare)
    assert raised.value.hint == hint


def test_empty_roots_name_none(bare, tmp_path):
    assert load({"roots": ""}, bare).roots == ()
    assert load({"roots": f"{os.pathsep}{tmp_path}{os.pathsep}"}, bare).roots == (tmp_path.resolve(),)


def test_what_is_set_here_is_told_with_where_it_was_set(toml, monkeypatch):
    environment = toml("threads = 3") | {"VIDEOMAMA_PORT": "7"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = {name: (setting.value, setting.source) for name, setting in callers({"host": "h", "device": None}).items()}
    assert found == {
        "threads": ("3", environment["VIDEOMAMA_CONFIG"]),
        "port": ("7", "$VIDEOMAMA_PORT"),
        "host": ("h", "the command line"),
    }


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Config) == {
        "cache_limit_gb": 100.0,
        "port": 0,
        "engine_idle_s": 900.0,
        "engine_hang_s": 120.0,
        "read_limit_s": 300.0,
        "supply_limit_s": 120.0,
        "server_idle_s": 0.0,
        "threads": 2,
        "max_vram_gb": 0.0,
    }


@pytest.mark.parametrize(
    ("name", "lowest", "highest"), [("port", 0, 65535), ("threads", 1, 256), ("max_vram_gb", 0, None)]
)
def test_a_number_may_be_at_its_bounds_and_not_beyond(bare, name, lowest, highest):
    for value in filter(lambda known: known is not None, (lowest, highest)):
        assert getattr(load({name: value}, bare), name) == value
    for value in [lowest - 1] + ([highest + 1] if highest else []):
        with pytest.raises(BadInput, match="which is not valid"):
            load({name: value}, bare)
