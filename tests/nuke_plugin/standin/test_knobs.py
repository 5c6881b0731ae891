"""Knobs: what they take, what they give, and what they refuse."""

import nuke_standin
import pytest
from nuke_standin.knobs import Context
from nuke_standin.words import Word


@pytest.fixture
def node(nuke):
    return nuke.nodes.NoOp()


@pytest.fixture
def read(nuke):
    return nuke.nodes.Read()


def added(node, knob):
    node.addKnob(knob)
    return knob


def test_trap_brackets_raise_name_error_and_knob_gives_none(node):
    with pytest.raises(NameError):
        node["nothing"]
    assert node.knob("nothing") is None
    with pytest.raises(TypeError):
        node[3]


def test_trap_an_attribute_that_is_not_there_cannot_be_read_or_set(node):
    with pytest.raises(AttributeError):
        node.nothing()
    with pytest.raises(AttributeError):
        node.mine = 1
    with pytest.raises(AttributeError):
        node["label"].mine = 1


def test_trap_enumerations_take_words_and_places_and_nothing_else(read):
    knob = read["before"]
    knob.setValue("loop")
    assert (knob.value(), knob.getValue()) == ("loop", 1.0)
    knob.setValue(3)
    assert knob.value() == "black"
    for wrong in ("none of these", 4, -1, 1.5):
        with pytest.raises((TypeError, ValueError)):
            knob.setValue(wrong)
    assert knob.value() == "black"
    assert knob.values() == ["hold", "loop", "bounce", "black"]


def test_trap_enumeration_prefers_the_word_that_looks_like_a_place(nuke, node):
    knob = added(node, nuke.Enumeration_Knob("e", "e", ["2", "1", "0"]))
    knob.setValue("0")
    assert knob.value() == "0"
    knob.setValue(0)
    assert knob.value() == "2"


def test_trap_new_words_of_an_enumeration_keep_the_place(nuke, node):
    knob = added(node, nuke.Enumeration_Knob("e", "e", ["a", "b"]))
    knob.setValue("b")
    knob.setValues(["x", "y", "z"])
    assert knob.value() == "y"


def test_trap_unknown_channels_are_value_errors(nuke):
    copy = nuke.nodes.Copy()
    with pytest.raises(ValueError, match="roto"):
        copy["from0"].setValue("roto.alpha")
    nuke.Layer("roto", ["roto.alpha"])
    copy["from0"].setValue("roto.alpha")
    assert copy["from0"].value() == "roto.alpha"
    with pytest.raises(ValueError, match=r"nothing\.red"):
        nuke.nodes.Remove()["channels"].setValue("rgba nothing.red")


def test_trap_an_int_gives_an_int_as_value_and_a_float_as_getvalue(read):
    read["first"].setValue(1001)
    assert type(read["first"].value()) is int
    assert type(read["first"].getValue()) is float
    read["first"].setValue(7.9)
    assert read["first"].value() == 7


def test_trap_booleans_are_true_and_false(node):
    node["disable"].setValue(1)
    assert node["disable"].value() is True
    assert node["disable"].getValue() == 1.0
    node["disable"].setValue(False)
    assert node["disable"].value() is False


def test_trap_an_array_is_a_scalar_while_all_are_equal(nuke):
    size = nuke.nodes.Blur()["size"]
    size.setValue(5)
    assert size.value() == 5.0
    assert size.singleValue()
    size.setValue([5, 7])
    assert size.value() == [5.0, 7.0]
    assert (size.value(0), size.value(1)) == (5.0, 7.0)
    assert not size.singleValue()


def test_a_point_and_a_box_are_always_lists(nuke, node):
    box = added(node, nuke.BBox_Knob("box"))
    box.setValue([1, 1, 1, 1])
    assert box.value() == [1.0] * 4
    box.setT(9)
    assert (box.t(), box.toDict()) == (9.0, {"x": 1.0, "y": 1.0, "r": 1.0, "t": 9.0})
    with pytest.raises(TypeError):
        box.setValue([1, 2, 3, 4, 5])
    with pytest.raises(IndexError):
        box.setValue(1, 4)


def test_numbers_refuse_text_and_text_refuses_numbers(node, read):
    with pytest.raises(TypeError):
        read["first"].setValue("1001")
    with pytest.raises(TypeError):
        node["label"].setValue(3)


def test_trap_a_file_is_raw_as_value_and_substituted_when_evaluated(nuke, read):
    nuke.root()["frame"].setValue(7)
    read["file"].setValue("/a b/x.####.exr")
    assert read["file"].value() == "/a b/x.####.exr"
    assert read["file"].getEvaluatedValue() == "/a b/x.%04d.exr"
    assert read["file"].evaluate() == "/a b/x.0007.exr"
    assert read["file"].evaluate(12) == "/a b/x.0012.exr"
    assert nuke.filename(read) == "/a b/x.####.exr"
    assert nuke.filename(read, nuke.REPLACE) == "/a b/x.0007.exr"


def test_trap_backslashes_are_not_made_slashes(read):
    read["file"].setValue("C:\\a\\x.exr")
    assert read["file"].value() == "C:\\a\\x.exr"


def test_an_empty_file_evaluates_to_none(read):
    assert read["file"].getEvaluatedValue() is None


def test_files_hold_views_and_tcl(nuke, read):
    nuke.root()["project_directory"].setValue("/show")
    nuke.root()["name"].setValue("/jobs/a b/comp.nk")
    read["file"].setValue("[file dirname [value root.name]]/[value root.project_directory]/%V.%04d.exr")
    assert read["file"].at(Context(3, "left")) == "/jobs/a b//show/left.0003.exr"
    oc = nuke.OutputContext()
    assert read["file"].getEvaluatedValue(oc).endswith("/main.%04d.exr")


def test_user_text_with_a_range_sets_the_range(read):
    read["file"].fromUserText("/a b/x.%04d.exr 1001-1020")
    assert read["file"].value() == "/a b/x.%04d.exr"
    assert [read[name].value() for name in ("first", "last", "origfirst", "origlast")] == [1001, 1020] * 2


def test_expressions_are_kept_as_text_and_evaluated_on_demand(nuke, node):
    knob = added(node, nuke.Double_Knob("k"))
    other = nuke.nodes.NoOp(name="Other")
    added(other, nuke.Double_Knob("v")).setValue(3)
    knob.setExpression("Other.v * 2 + (frame > 5 ? 1 : 0)")
    assert knob.hasExpression()
    assert knob.at(Context(1)) == 6
    assert knob.valueAt(6) == 7
    assert "Other.v" in knob.toScript()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - -4", 11), ("!0 && 1 || 0", 1), ("!(1)", 0), ("7 % 4 / 2", 1.5), ("1 < 2 == 1", 1), ("$gui", 0),
        ("root.first_frame", 1), ("root.name == \"x\"", 0), ("[exists parent.nothing]", 0), ("[exists this.label]", 1),
        ("[python {1 + 1}] * 2", 4), ("[python 3]", 3), ("max(1, 2)", 2), ("1e2", 100), ("frame", 1), ("this.mine", 8),
        ("mine + 1", 9), ("box.t - box.y", 4), ("mode == 1", 1), ("0 ? 1 : 0 ? 2 : 3", 3), ("root.NoOp1.mine", 8),
    ],
)  # fmt: skip
def test_the_expressions_that_gizmos_use(nuke, node, text, value):
    added(node, nuke.Double_Knob("mine")).setValue(8)
    added(node, nuke.BBox_Knob("box")).setValue([1, 2, 3, 6])
    added(node, nuke.Enumeration_Knob("mode", "mode", ["a", "b"])).setValue("b")
    knob = added(node, nuke.Double_Knob("k"))
    knob.setExpression(text)
    assert knob.value() == value


@pytest.mark.parametrize(
    "text", ["nothing", "1 +", "(1", "root.nothing", "noise(1)", "[metadata x]", "1 2", "a @ b", "1/0"]
)
def test_what_the_double_cannot_evaluate_is_an_error(nuke, node, text):
    knob = added(node, nuke.Double_Knob("k"))
    knob.setExpression(text)
    with pytest.raises(RuntimeError):
        knob.value()


def test_trap_a_knob_with_an_expression_cannot_be_set(node):
    node["disable"].setExpression("1")
    assert not node["disable"].setValue(False)
    assert node["disable"].value() is True
    node["disable"].clearAnimated()
    assert node["disable"].setValue(False)
    assert node["disable"].value() is False


def test_keys_hold_linear_and_constant_values_and_refuse_to_guess(nuke, node):
    knob = added(node, nuke.Double_Knob("k"))
    knob.fromScript("{{curve L x1 0 x11 10 K x21 20 x31 30}}")
    assert [knob.valueAt(frame) for frame in (0, 6, 11, 25, 31, 99)] == [0, 5, 10, 20, 30, 30]
    knob.fromScript("{{curve x1 0 x11 10}}")
    assert knob.valueAt(11) == 10
    with pytest.raises(RuntimeError, match="smooth"):
        knob.valueAt(6)
    assert (knob.isAnimated(), knob.getNumKeys(), knob.getKeyList()) == (True, 2, [1.0, 11.0])


def test_setting_an_animated_knob_sets_a_key(nuke, node):
    knob = added(node, nuke.Double_Knob("k"))
    knob.setAnimated()
    nuke.root().setFrame(5)
    knob.setValue(2)
    knob.setValueAt(4, 9)
    assert (knob.valueAt(5), knob.valueAt(9), knob.getNumKeys()) == (2, 4, 2)


def test_an_expression_wins_over_remembered_keys(nuke, node):
    knob = added(node, nuke.Double_Knob("k"))
    knob.fromScript("{{frame x1 1}}")
    assert knob.valueAt(4) == 4
    assert knob.toScript() == "{{frame x1 1}}"


@pytest.mark.parametrize(
    ("cls", "script"),
    [("Double_Knob", "3.5"), ("XY_Knob", "{10 20}"), ("Color_Knob", "{1 0.5 0}"), ("Color_Knob", "0.5"),
     ("Boolean_Knob", "true"), ("BBox_Knob", '{0 0 {root.width} {"root.height - 1"}}'), ("WH_Knob", "{{frame} 2}"),
     ("String_Knob", '"a \\[b] \\"c\\""'), ("Int_Knob", "{{curve x1 0 x10 1}}")],
)  # fmt: skip
def test_to_script_and_from_script_are_inverse(nuke, node, cls, script):
    knob = added(node, getattr(nuke, cls)("k"))
    knob.fromScript(script)
    first = knob.toScript()
    knob.fromScript(first)
    assert knob.toScript() == first
    assert not knob._is_default()


def test_trap_text_cannot_be_asked_whether_it_is_at_its_default(node, read):
    with pytest.raises(AttributeError):
        node["label"].notDefault()
    assert not read["first"].notDefault()
    read["first"].setValue(2)
    assert read["first"].notDefault()


def test_flags_are_names_not_places(nuke, node):
    knob = node["label"]
    knob.setFlag(nuke.INVISIBLE)
    assert knob.getFlag(nuke.INVISIBLE)
    assert not knob.visible()
    knob.setVisible(True)
    assert knob.visible()
    knob.setEnabled(False)
    assert not knob.enabled()
    assert knob.getFlag(nuke.DISABLED)
    knob.clearFlag(nuke.DISABLED)
    assert knob.enabled()
    with pytest.raises(TypeError):
        knob.setFlag("INVISIBLE")


def test_names_labels_and_tooltips(nuke, node):
    knob = added(node, nuke.String_Knob("k"))
    assert (knob.name(), knob.label(), knob.fullyQualifiedName(), knob.node()) == ("k", "k", "NoOp1.k", node)
    knob.setLabel("my label")
    knob.setTooltip("tip")
    assert (knob.label(), knob.tooltip(), knob.Class()) == ("my label", "tip", "String_Knob")


def test_a_text_knob_shows_what_is_set(nuke, node):
    knob = added(node, nuke.Text_Knob("t", "t", "first"))
    assert knob.value() == "first"
    knob.setValue("second")
    assert knob.value() == "second"


def test_a_format_is_a_name_or_an_object(nuke):
    knob = nuke.root()["format"]
    assert (knob.value().width(), knob.value().name()) == (2048, "2K_Super_35(full-ap)")
    knob.setValue("HD_1080")
    assert knob.value().height() == 1080
    knob.setValue(nuke.addFormat("64 48 0 0 64 48 2 wide"))
    assert (knob.value().pixelAspect(), knob.toScript()) == (2.0, '"64 48 0 0 64 48 2 wide"')
    with pytest.raises(ValueError, match="no such format"):
        knob.setValue("no such format")


def test_a_bounding_box_has_no_right_or_top(nuke):
    from nuke_standin.formats import Info

    box = Info(1, 2, 30, 40)
    assert (box.x(), box.y(), box.w(), box.h()) == (1, 2, 30, 40)
    with pytest.raises(AttributeError):
        box.t()


@pytest.mark.parametrize(
    ("definition", "cls", "value"),
    [
        ("1 k l Label t Tip", "String_Knob", ""), ("2 k", "File_Knob", None), ("3 k", "Int_Knob", 0),
        ("4 k M {one \"two words\" three}", "Enumeration_Knob", "one"), ("6 k", "Boolean_Knob", False),
        ("7 k R -5 5", "Double_Knob", 0.0), ("10 k", "ChannelMask_Knob", "none"), ("11 k", "Channel_Knob", "none"),
        ("12 k", "XY_Knob", [0.0, 0.0]), ("13 k", "XYZ_Knob", [0.0] * 3), ("14 k", "WH_Knob", 0.0),
        ("15 k", "BBox_Knob", [0.0] * 4), ("18 k", "Color_Knob", 0.0), ("19 k", "AColor_Knob", 0.0),
        ("22 k T \"x = 1\\ny = 2\" +STARTLINE", "PyScript_Knob", "x = 1\ny = 2"), ("26 k T text", "Text_Knob", "text"),
        ("30 k", "UV_Knob", [0.0, 0.0]), ("43 k", "Multiline_Eval_String_Knob", ""), ("61 k", "Password_Knob", ""),
        ("68 k M {a b}", "CascadingEnumeration_Knob", "a"), ("83 k M {a b}", "Radio_Knob", "a"),
    ],
)  # fmt: skip
def test_user_knobs_of_files(nuke, node, definition, cls, value):
    from nuke_standin import writing

    writing.put(node, "addUserKnob", Word(definition, "brace", 1))
    knob = node["k"]
    assert type(knob) is getattr(nuke, cls)
    found = knob.getEvaluatedValue() if cls == "File_Knob" else knob.value()
    assert found == value


def test_every_knob_has_an_evaluated_value(nuke):
    """Those of knobs that hold no path are their values: the documents say no more."""
    nuke.frame(4)
    nuke.root()["views"].setValue('{main ""}\n{left ""}')
    node = nuke.nodes.Blur(label="size [value size]", filter="box", channels="rgb")
    node["size"].setExpression("frame * 2")
    group = nuke.nodes.Group()
    link = nuke.Link_Knob("link")
    link.makeLink("Blur1", "label")
    group.addKnob(link)
    found = {name: node[name].getEvaluatedValue() for name in ("label", "filter", "channels", "size", "crop", "name")}
    assert found == {
        "label": "size 8",
        "filter": "box",
        "channels": "rgb",
        "size": 8,
        "crop": True,
        "name": "Blur1",
    }
    assert link.getEvaluatedValue() == "size 8"
    oc = nuke.OutputContext()
    oc.setFrame(5)
    assert node["size"].getEvaluatedValue(oc) == 10
    assert all(knob.getEvaluatedValue() is not NotImplemented for knob in node.allKnobs())


@pytest.mark.parametrize("kind", range(91))
def test_every_kind_of_the_table_is_taken(nuke, node, kind):
    from nuke_standin import flags, knobs_user

    if kind in flags.KINDS or kind in flags.WITHOUT_CLASS:
        assert knobs_user.parsed(Word(f"{kind} k l L", "brace", 1)).name() == "k"
    else:
        with pytest.raises(ValueError, match="no kind of knob"):
            knobs_user.parsed(Word(f"{kind} k l L", "brace", 1))


def test_user_knob_flags_ranges_and_tabs(nuke, node):
    from nuke_standin import knobs_user

    knob = knobs_user.parsed(Word('7 k l "a b" t {tip} R 0 50 +INVISIBLE -STARTLINE +DO_NOT_WRITE', "brace", 1))
    assert not knob.visible()
    assert (knob.getFlag(nuke.DO_NOT_WRITE), knob.minimum(), knob.maximum(), knob.tooltip()) == (True, 0, 50, "tip")
    again = knobs_user.parsed(Word(knobs_user.written(knob)[len("addUserKnob {") : -1], "brace", 1))
    assert knobs_user.written(again) == knobs_user.written(knob)
    assert knobs_user.parsed(Word("20 t l Tab n 1", "brace", 1))._tab == nuke.TABBEGINGROUP
    with pytest.raises(ValueError, match="not known"):
        knobs_user.parsed(Word("7 k q x", "brace", 1))


def test_undo_takes_values_back(nuke, node):
    before = nuke_standin.session.undo_depth()
    with nuke.Undo("two"):
        node["label"].setValue("a")
        node["label"].setValue("b")
    assert nuke_standin.session.undo_depth() == before + 1
    nuke.undo()
    assert node["label"].value() == ""


def test_trap_disabled_undo_leaves_no_step_and_the_script_unmodified(nuke, node):
    nuke.root().setModified(False)
    depth = nuke_standin.session.undo_depth()
    undo = nuke.Undo()
    undo.disable()
    undo.disable()
    undo.enable()
    assert undo.disabled()
    node["label"].setValue("a")
    undo.enable()
    assert not undo.disabled()
    assert nuke_standin.session.undo_depth() == depth
    assert not nuke.root().modified()
    node["label"].setValue("b")
    assert nuke.root().modified()
    assert nuke_standin.session.undo_depth() == depth + 1


def test_a_group_of_changes_that_fails_is_taken_back(nuke, node):
    def fail():
        with nuke.Undo():
            node["label"].setValue("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert node["label"].value() == ""


def test_documented_defaults_of_read_write_and_root(nuke):
    read, write, root = nuke.nodes.Read(), nuke.nodes.Write(file_type="exr"), nuke.root()
    assert [read[n].value() for n in ("on_error", "raw", "before", "frame_mode")] == [
        "error",
        False,
        "hold",
        "expression",
    ]
    assert read["localizationPolicy"].value() == "from auto-localize path"
    assert [write[n].value() for n in ("channels", "raw", "create_directories")] == ["rgb", False, False]
    assert [write[n].value() for n in ("datatype", "compression", "dw_compression_level")] == [
        "16 bit half", "Zip (1 scanline)", 45.0,
    ]  # fmt: skip
    assert [root[n].value() for n in ("colorManagement", "proxy", "first_frame", "last_frame")] == [
        "Nuke",
        False,
        1,
        100,
    ]


def test_trap_format_knobs_do_not_exist_before_the_file_type(nuke):
    write = nuke.nodes.Write()
    assert write.knob("datatype") is None
    write["file_type"].setValue("exr")
    write["datatype"].setValue("32 bit float")
    write["file_type"].setValue("png")
    assert write["datatype"].values() == ["8 bit", "16 bit"]
    write["file_type"].setValue("jpeg")
    assert write.knob("datatype") is None


def test_reload_counts_up(nuke, read):
    read["reload"].execute()
    read["reload"].execute()
    assert read["version"].value() == 2


@pytest.mark.parametrize(
    ("cls", "kind"),
    [("Text_Knob", 26), ("String_Knob", 1), ("File_Knob", 2), ("Int_Knob", 3), ("Double_Knob", 7), ("Tab_Knob", 20),
     ("WH_Knob", 14), ("Multiline_Eval_String_Knob", 43),
     ("PyScript_Knob", 22), ("Link_Knob", 41), ("Boolean_Knob", 6)],
)  # fmt: skip
def test_knobs_that_python_adds_are_saved_under_their_number(nuke, node, cls, kind):
    from nuke_standin import knobs_user

    assert knobs_user.written(added(node, getattr(nuke, cls)("k"))).startswith(f"addUserKnob {{{kind} k")
