"""What is computed of channels: every Merge operation, both Shuffles, Expression and Keyer."""

import facts_scripts
import pytest
from nuke_standin.class_channels import MERGES

FORM = "16 12 0 0 16 12 1 small"


@pytest.fixture
def small(nuke):
    """`small(r, g, b, a)`: a Constant of 16x12 pixels."""
    nuke.addFormat(FORM)
    return lambda *colour: nuke.nodes.Constant(channels="rgba", color=list(colour), format="small")


def pixel(node, x=4, y=4):
    return [round(node.sample(f"rgba.{name}", x, y), 6) for name in ("red", "green", "blue", "alpha")]


FORMULAE = {**facts_scripts.MERGED, **facts_scripts.MERGED_BY_USUAL_FORMULAE}


def test_there_is_a_formula_for_every_operation():
    assert set(FORMULAE) == set(MERGES)


@pytest.mark.parametrize("operation", MERGES)
def test_merge(nuke, small, operation):
    a, b = small(0.25, 0.25, 0.25, 0.5), small(0.5, 0.5, 0.5, 0.75)
    merge = nuke.nodes.Merge2(inputs=[b, a], operation=operation)
    colour, alpha = FORMULAE[operation]
    assert pixel(merge) == pytest.approx([colour, colour, colour, alpha], abs=1e-5)


def test_merge_where_the_documents_make_an_exception(nuke, small):
    minus, bright = small(-1, -1, -1, -1), small(2, 2, 2, 1)
    assert pixel(nuke.nodes.Merge2(inputs=[minus, minus], operation="multiply"))[0] == 0
    assert pixel(nuke.nodes.Merge2(inputs=[minus, minus], operation="divide"))[0] == 0
    assert pixel(nuke.nodes.Merge2(inputs=[bright, bright], operation="screen"))[0] == 2
    assert pixel(nuke.nodes.Merge2(inputs=[small(0.5, 0, 0, 0.5), bright], operation="conjoint-over"))[0] == 2


def test_merge_of_several_as_goes_on_from_what_the_first_made(nuke, small):
    merge = nuke.nodes.Merge2(inputs=[small(1, 0, 0, 0), small(2, 0, 0, 0), None, small(4, 0, 0, 0)], operation="plus")
    assert pixel(merge)[0] == 7
    merge["mix"].setValue(0.5)
    with pytest.raises(RuntimeError, match="no mask and no mix for more than one A"):
        merge.format()


def test_merge_of_some_channels(nuke, small):
    nuke.scriptReadText(
        f"Constant {{ inputs 0 channels rgba color 0.5 format {{{FORM}}} name B }}\nset B [stack 0]\n"
        f"Constant {{ inputs 0 channels rgba color 0.25 format {{{FORM}}} name A }}\npush $B\n"
        "Merge2 { inputs 2 operation copy Achannels {rgba.red rgba.green rgba.blue -rgba.alpha}\n"
        " Bchannels {rgba.red rgba.green rgba.blue -rgba.alpha} output {rgba.red rgba.green rgba.blue -rgba.alpha}\n"
        " name M }\n"
    )
    assert pixel(nuke.toNode("M")) == [0.25, 0.25, 0.25, 0.5]
    for name in ("Achannels", "Bchannels", "output"):
        nuke.toNode("M")[name].setValue("rgba.alpha")
    nuke.toNode("M")["operation"].setValue("over")
    assert pixel(nuke.toNode("M")) == [0.5, 0.5, 0.5, 0.625]
    for name in ("Achannels", "Bchannels", "output"):
        nuke.toNode("M")[name].setValue("none")
    nuke.toNode("M")["also_merge"].setValue("rgb")
    nuke.toNode("M")["operation"].setValue("plus")
    assert pixel(nuke.toNode("M")) == [0.75, 0.75, 0.75, 0.5]
    nuke.toNode("M")["operation"].setValue("over")
    with pytest.raises(RuntimeError, match="M: the stand-in does nothing for the knobs Achannels"):
        nuke.toNode("M").format()


def test_the_old_shuffle(nuke, small):
    source = small(0.1, 0.2, 0.3, 0.4)
    shuffle = nuke.nodes.Shuffle(inputs=[source])
    assert pixel(shuffle) == pixel(source)
    for name, value in (("red", "alpha"), ("green", "white"), ("blue", "black"), ("alpha", "red")):
        shuffle[name].setValue(value)
    assert pixel(shuffle) == [0.4, 1.0, 0.0, 0.1]
    nuke.Layer("roto", ["roto.mask"])
    shuffle["out"].setValue("roto")
    assert shuffle.sample("roto.mask", 4, 4) == pytest.approx(0.4)
    shuffle["red"].setValue("red2")
    with pytest.raises(RuntimeError, match="Shuffle1: the stand-in's Shuffle has one input layer, and no red2"):
        shuffle.format()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("r + g*2 - b/2", 0.35), ("1-a", 0.6), ("r > 0.05 && g < 0.1 ? 1 : b", 0.3), ("clamp(g*10)", 1.0),
        ("smoothstep(0, 0.4, g)", 0.5), ("lerp(r, b, 0.5)", 0.2), ("max(r, g, b)", 0.3), ("r ** 2", 0.01),
        ("x/width", 0.25), ("y + height", 16.0), ("parent.Knob.multiply * r", 0.3), ("frame", 7.0),
        ("[value Knob.multiply] * r", 0.3), ("rgba.alpha", 0.4), ("!r", 0.0), ("luma", 0.2), ("-r", -0.1),
        ("pow(g, 2) == g*g ? red : 0", 0.1),
    ],
)  # fmt: skip
def test_expression(nuke, small, text, found):
    nuke.frame(7)
    nuke.nodes.Grade(name="Knob", multiply=3)
    node = nuke.nodes.Expression(inputs=[small(0.1, 0.2, 0.3, 0.4)], temp_name0="luma", temp_expr0="(r+g+b)/3")
    node["expr0"].setValue(text)
    assert pixel(node)[0] == pytest.approx(found, abs=1e-5)
    assert pixel(node)[1:] == [0.2, 0.3, 0.4]


def test_expression_writes_the_channels_that_it_names(nuke, small):
    nuke.Layer("mine", ["mine.alpha"])
    node = nuke.nodes.Expression(
        inputs=[small(0.1, 0.2, 0.3, 0.4)], channel0="rgb", expr0="a", channel1="mine", expr1="r"
    )
    assert pixel(node) == [0.4, 0.4, 0.4, 0.4]
    assert node.sample("mine.alpha", 4, 4) == pytest.approx(0.1)


def test_the_sides_of_a_box_in_expressions(nuke, small):
    crop = nuke.nodes.Crop(inputs=[small(0, 0, 0, 0)], box=[2, 3, 9, 10], crop=False)
    blur = nuke.nodes.Blur(inputs=[crop])
    blur["mix"].setExpression("input.bbox.x + 10 * input.bbox.t + parent.Crop1.bbox.r")
    assert blur["mix"].value() == 111
    with pytest.raises(RuntimeError, match=r"nothing named 'Blur1\.bbox\.w'"):
        nuke.expression("Blur1.bbox.w")


@pytest.mark.parametrize(("text", "said"), [("random(x)", "no function random"), ("cx", "nothing named 'cx'")])
def test_expression_refuses_what_it_does_not_know(nuke, small, text, said):
    node = nuke.nodes.Expression(inputs=[small(0, 0, 0, 0)], expr3=text)
    with pytest.raises(RuntimeError, match=said):
        node.format()


def test_what_a_question_does_not_choose_is_not_looked_at(nuke):
    assert nuke.expression("1 ? 3 : no_such_node.knob") == 3
    assert nuke.expression("2 ** 3 ** 2 + -2 ** 2") == 508


@pytest.mark.parametrize(
    ("operation", "ends", "alpha"),
    [
        ("luminance key", (0, 1, 1, 1), 0.43602), ("luminance key", (0.4, 0.5, 1, 1), 0.3602),
        ("luminance key", (0, 0.1, 0.2, 0.6), 0.40995), ("green keyer", (0, 1, 1, 1), 0.5),
        ("max", (0, 1, 1, 1), 0.5), ("min", (0, 1, 1, 1), 0.25), ("luminance key", (0.6, 0.6, 1, 1), 0.0),
    ],
)  # fmt: skip
def test_keyer(nuke, small, operation, ends, alpha):
    node = nuke.nodes.Keyer(inputs=[small(0.25, 0.5, 0.35, 0)], operation=operation, range=list(ends))
    assert pixel(node) == pytest.approx([0.25, 0.5, 0.35, alpha], abs=1e-5)
    node["invert"].setValue(True)
    assert pixel(node)[3] == pytest.approx(1 - alpha, abs=1e-5)


def test_keyer_refuses_operations_that_it_does_not_have(nuke, small):
    with pytest.raises(RuntimeError, match="Keyer1: the stand-in's Keyer has no operation 'bluescreen'"):
        nuke.nodes.Keyer(inputs=[small(0, 0, 0, 0)], operation="bluescreen").sample("rgba.alpha", 1, 1)
