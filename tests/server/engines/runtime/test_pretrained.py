"""Networks as transformers publishes them, with a stand-in for what they are made of."""

import logging
from types import SimpleNamespace

import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.runtime import pretrained


@pytest.mark.parametrize(("text", "values"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("7", {})])
def test_a_file_says_values_by_name_or_nothing(tmp_path, text, values):
    path = tmp_path / "config.json"
    path.write_text(text)
    assert pretrained.read_config(path, "Copy it again.") == values


@pytest.mark.parametrize("text", [None, "{", "\ud800"])
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path, text):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text, errors="surrogatepass")
    with pytest.raises(WeightsError, match=r"cannot read .*config\.json") as caught:
        pretrained.read_config(path, "Copy it again.")
    assert caught.value.hint == "Copy it again."


@pytest.fixture
def made(monkeypatch):
    """Have transformers make networks by a function; what `of` returns is what it saw meanwhile."""
    import transformers
    from transformers.utils import logging as said

    seen = SimpleNamespace(words=None, verbosity=None, bars=None)

    def of(make):
        def from_pretrained(folder, **how):
            seen.words, seen.verbosity, seen.bars = (folder, how), said.get_verbosity(), said.is_progress_bar_enabled()
            return make()

        monkeypatch.setattr(transformers, "Pretended", SimpleNamespace(from_pretrained=from_pretrained), raising=False)
        return seen

    return of


def refused(why):
    return WeightsError(f"it does not load: {why}")


def test_a_network_comes_from_the_disk_alone_in_float32_with_its_report(made, tmp_path):
    seen = made(lambda: ("network", {"missing_keys": []}))
    assert pretrained.load("Pretended", tmp_path, refused) == ("network", {"missing_keys": []})
    assert seen.words == (
        tmp_path,
        {"local_files_only": True, "dtype": torch.float32, "output_loading_info": True},
    )


def test_transformers_is_quiet_while_it_loads_and_says_as_much_as_before_after_it(made, tmp_path):
    from transformers.utils import logging as said

    before = said.get_verbosity(), said.is_progress_bar_enabled()
    seen = made(lambda: ("network", {}))
    pretrained.load("Pretended", tmp_path, refused)
    assert (seen.verbosity, seen.bars) == (logging.ERROR, False)
    assert (said.get_verbosity(), said.is_progress_bar_enabled()) == before


@pytest.mark.parametrize(
    ("error", "why"),
    [(OSError("no file\nand more"), "no file"), (KeyError(), "KeyError"), (ImportError("timm"), "timm")],
)
def test_files_that_cannot_be_loaded_are_refused_with_the_first_line_of_why(made, tmp_path, error, why):
    def fail():
        raise error

    made(fail)
    with pytest.raises(WeightsError, match=f"it does not load: {why}$") as caught:
        pretrained.load("Pretended", tmp_path, refused)
    assert caught.value.__cause__ is error


def test_memory_that_runs_out_is_told_as_that(made, tmp_path):
    def fail():
        raise torch.OutOfMemoryError("full")

    made(fail)
    with pytest.raises(torch.OutOfMemoryError):
        pretrained.load("Pretended", tmp_path, refused)
