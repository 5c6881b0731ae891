import subprocess
import sys

import pytest
from videomama_client.errors import BadInput
from videomama_server.engines import plugins
from videomama_server.engines.base import PROTOCOL

OWN_ENGINE = """
import sys
from pathlib import Path
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
place = EngineConfig(Path(), Path())
engines.load(engines.resolve("passthrough", place), place)
assert "importlib.metadata" not in sys.modules
"""


def kind_of(name="own"):
    return plugins.kind_of(plugins.find(name))


def test_a_package_that_declares_an_engine_is_found_and_not_imported(installed):
    package = installed("raise AssertionError('imported')")
    (found,) = [plugin for plugin in plugins.declared() if plugin.name == "own"]
    assert (found.package, found.version, found.source) == (package, "1.0", f"{package} 1.0")
    assert plugins.find("own") == found
    assert package.replace("-", "_") not in sys.modules


def test_without_such_a_package_there_is_none(installed):
    assert plugins.find("own") is None


def test_an_engine_that_is_complete_can_be_used(installed, good):
    installed()
    kind = kind_of()
    assert kind.name == "own"
    assert [spec.name for spec in kind.options()] == ["strength"]


def test_two_packages_of_one_engine_are_both_named(installed, raises_with_hint):
    one, other = installed(version="1.0"), installed(version="2.0")
    with raises_with_hint(BadInput, "'own'", f"{one} 1.0", f"{other} 2.0"):
        plugins.find("own")


def test_a_package_that_is_installed_in_two_places_is_the_one_that_python_imports(installed, packages, tmp_path):
    package = installed(version="1.0")
    sys.path.append(str(tmp_path / "later"))
    packages.folder = tmp_path / "later"
    packages.put(package, "", {"own": "Own"}, "2.0")
    try:
        assert plugins.find("own").version == "1.0"
    finally:
        sys.path.remove(str(tmp_path / "later"))


WRONG = {
    "import": ("import no_such_package", ["importing it", "No module named 'no_such_package'"]),
    "end": ("import sys; sys.exit('no licence')", ["importing it", "SystemExit: no licence"]),
    "error": ("raise RuntimeError('no GPU')", ["importing it", "RuntimeError: no GPU"]),
    "class": ("Other = 1", ["importing it", "Own"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_engine_that_cannot_be_imported_names_package_and_reason(what, installed, raises_with_hint):
    code, named = WRONG[what]
    package = installed(code)
    with raises_with_hint(BadInput, "own", f"{package} 1.0", *named):
        kind_of()


CHANGES = {
    "an older Protocol": ("protocol = 1", f"protocol = {PROTOCOL - 1}", f"Protocol {PROTOCOL - 1}"),
    "a newer Protocol": ("protocol = 1", f"protocol = {PROTOCOL + 1}", f"Protocol {PROTOCOL + 1}"),
    "no Protocol": ("protocol = 1", "", "which engine Protocol"),
    "a Protocol in words": ("protocol = 1", "protocol = 'one'", "which engine Protocol"),
    "no refine": ("def refine", "def refined", "refine"),
    "no prepare": ("def prepare", "prepare = None\n    def prepared", "prepare"),
    "methods of an object": ("@classmethod", "", "options"),
    "another name": ('name = "own"', 'name = "mine"', "'mine'"),
    "no name": ('name = "own"', "", "None"),
    "no tuple of options": ("return (", "return [*(", "SettingSpec"),
    "options that are none": ("return (", "return (1,) + (", "SettingSpec"),
    "one option twice": ("return (", "return 2 * (", "'strength', 'strength'"),
    "an option with a bad name": ('"strength"', '"How strong"', "'How strong'"),
    "a default out of bounds": ("0.5", "5.0", "strength 5 is out of range"),
    "an unknown role": (
        "protocol = 1",
        "protocol = 1\n    role = 'painter'",
        "'painter'",
    ),
    "options that fail": ("return (", "1 / 0; return (", "ZeroDivisionError"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_engine_that_does_not_keep_to_the_protocol_names_package_and_reason(
    change, installed, good, raises_with_hint
):
    before, after, named = CHANGES[change]
    code = good.replace(before, after)
    assert code != good
    package = installed(code.replace("0, 1),)", "0, 1),)]") if "[*" in after else code)
    with raises_with_hint(BadInput, "own", f"{package} 1.0", named):
        kind_of()


@pytest.mark.parametrize(("version", "outdated"), [(PROTOCOL - 1, "studio-"), (PROTOCOL + 1, "VideoMaMa")])
def test_the_hint_says_which_of_the_two_is_outdated(version, outdated, installed, good):
    installed(good.replace("protocol = 1", f"protocol = {version}"))
    with pytest.raises(BadInput) as refused:
        kind_of()
    assert refused.value.hint.startswith(f"Update {outdated}")


@pytest.mark.parametrize("name", ["auto", "mask", "own:fast", "eigenes Verfahren"])
def test_a_name_that_no_command_line_could_give_is_refused_before_the_import(name, installed, raises_with_hint):
    package = installed("raise AssertionError('imported')", {name: "Own"})
    with raises_with_hint(BadInput, f"{package} 1.0", "name"):
        plugins.kind_of(next(plugin for plugin in plugins.declared() if plugin.package == package))


DAMAGE = {
    "entry_points.txt": b"[videomama.engines]\nown\n",
    "METADATA": b"Name: studio\n",
}


@pytest.mark.parametrize("file", DAMAGE)
def test_damaged_metadata_hides_one_package_and_no_other(file, installed, packages, caplog):
    damaged, whole = installed(), installed(points={"other": "Own"})
    (packages.folder / f"{damaged.replace('-', '_')}-1.0.dist-info" / file).write_bytes(DAMAGE[file])
    assert plugins.find("own") is None
    assert plugins.find("other").package == whole
    assert "metadata" in caplog.text


class Made:
    name = "own"
    fingerprint = "own-1"

    def method(self, *_):
        return None

    shape = rule = resolve = describe = prepare = refine = complete = finish = usage = release = method


def test_an_engine_that_was_made_is_checked_too(installed, raises_with_hint):
    package = installed()
    plugin = plugins.find("own")
    plugins.check_engine(plugin, Made())
    for lacking, value in (("complete", None), ("fingerprint", 1), ("fingerprint", ""), ("name", "mine")):
        engine = Made()
        setattr(engine, lacking, value)
        with raises_with_hint(BadInput, f"{package} 1.0", value if lacking == "name" else lacking):
            plugins.check_engine(plugin, engine)


def test_an_engine_of_this_package_is_found_without_a_look_at_metadata():
    done = subprocess.run([sys.executable, "-I", "-c", OWN_ENGINE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
