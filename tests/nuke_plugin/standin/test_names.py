"""The double offers nothing that Nuke's published stubs do not have, so that no plug-in leans on an invention."""

import ast
import importlib.metadata
import inspect
from pathlib import Path

import pytest
from nuke_standin import knobs

# In 15.0 and not yet in the stubs, which are of 13.2; or from the documentation of the parent class.
NEWER = {
    "Node.isClone", "Views_Knob", "Knob.defaultValue", "Knob.getEvaluatedValue", "Text_Knob",
}  # fmt: skip
POSITIONAL = {"knob", "scriptSaveToTemp"}  # the stubs are no help there
OURS = {"real_inputs", "at"}  # said in their docstrings: not part of Nuke


@pytest.fixture(scope="module")
def stubs():
    """Names of the module, and of each class with what it inherits."""
    try:
        files = importlib.metadata.files("types-nuke")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("types-nuke is not installed")
    module, classes, functions = set(), {}, {}
    for file in files:
        if file.suffix != ".pyi":
            continue
        for item in ast.parse(Path(file.locate()).read_text("utf-8")).body:
            names = [item.name] if hasattr(item, "name") else []
            names += [item.target.id] if isinstance(item, ast.AnnAssign) else []
            names += [target.id for target in getattr(item, "targets", [])]
            module.update(names)
            if isinstance(item, ast.FunctionDef):
                functions.setdefault(item.name, []).append(item.args)
            if isinstance(item, ast.ClassDef):
                found = {one.name for one in item.body if isinstance(one, ast.FunctionDef)}
                classes[item.name] = (found, [base.id for base in item.bases if isinstance(base, ast.Name)])
    return module, classes, functions


def inherited(classes, name):
    found, bases = classes.get(name, (set(), []))
    return found.union(*(inherited(classes, base) for base in bases))


def test_the_module_has_no_name_of_its_own(nuke, stubs):
    names = {name for name in vars(nuke) if not name.startswith("_")}
    assert names - stubs[0] - NEWER - {"types", "untitled"} == set()


@pytest.mark.parametrize("name", ["Node", "Group", "Gizmo", "Root"])
def test_nodes_have_no_method_of_their_own(nuke, stubs, name):
    offered = {one for one in dir(getattr(nuke, name)) if not one.startswith("_")}
    known = inherited(stubs[1], name)
    assert {one for one in offered - known - OURS if f"Node.{one}" not in NEWER} == set()


def test_knobs_have_no_method_of_their_own(nuke, stubs):
    odd = {}
    for name, cls in vars(nuke).items():
        if inspect.isclass(cls) and issubclass(cls, knobs.Knob) and name not in NEWER:
            offered = {one for one in dir(cls) if not one.startswith("_")}
            extra = {one for one in offered - inherited(stubs[1], name) - OURS if f"Knob.{one}" not in NEWER}
            odd.update({name: extra} if extra else {})
    assert odd == {}


def test_functions_name_their_parameters_as_the_stubs_do(nuke, stubs):
    odd = {}
    for name, found in stubs[2].items():
        if name not in vars(nuke) or name in POSITIONAL or len(found) > 1 or found[0].vararg:
            continue
        wanted = [one.arg for one in found[0].args]
        offered = list(inspect.signature(getattr(nuke, name)).parameters)
        odd.update({name: (wanted, offered)} if offered[: len(wanted)] != wanted else {})
    assert odd == {}
