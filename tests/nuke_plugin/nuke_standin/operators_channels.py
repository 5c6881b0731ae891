"""Plans of what combines and computes channels: Merge2, both Shuffles, Expression and Keyer."""

from __future__ import annotations

from typing import Any

from nuke_standin import session, trees
from nuke_standin.expressions import with_commands
from nuke_standin.planning import Made, Plan, inputs_of, masked, value, words
from nuke_standin.references import ExpressionError, name_value

_OF_COLOUR_ALONE = """
    average color-burn color-dodge copy difference divide exclusion from geometric hard-light hypot max min minus
    multiply overlay plus screen soft-light
"""
_WITHOUT_ALPHA = frozenset(_OF_COLOUR_ALONE.split())
_COLOURS = ("red", "green", "blue", "alpha")
_PIXEL = {"r": "rgba.red", "g": "rgba.green", "b": "rgba.blue", "a": "rgba.alpha"}
_PLACES = ("x", "y", "width", "height")


def merge(plan: Plan, node: Any, context: Any) -> Made:
    """A on B; further As one after the other on what came of it."""
    step = masked(node, context, {"op": "merge", "operation": value(node, "operation", context)})
    step.update(channels=_merged(node, context), bbox=str(value(node, "bbox", context)))
    first = plan.combined(dict(step), inputs_of(plan, node, context, 3), context)
    above = [plan.input(node, index, context) for index in range(3, len(node._inputs))]
    if any(above) and (step["mix"] != 1 or step["mask_channel"] != "none"):
        raise RuntimeError(f"{node._full_name()}: the stand-in has no mask and no mix for more than one A")
    for one in filter(None, above):
        first = plan.combined(dict(step), [first, one, None], context)
    return first


def _merged(node: Any, context: Any) -> str:
    """Return the channels that a Merge changes. The same ones must be taken of A and of B."""
    layers = session.current().layers
    of_a, of_b, output = (words(node, name, context) for name in ("Achannels", "Bchannels", "output"))
    sets = [set(layers.expand(text)) for text in (of_a, of_b, output)]
    usual = sets[0] == sets[1] == set(layers.expand("rgba"))
    by_alpha = value(node, "operation", context) not in _WITHOUT_ALPHA
    alone = sets[0] == sets[1] == sets[2] and ("rgba.alpha" in sets[0] or not by_alpha)
    if not (usual or alone):
        raise RuntimeError(f"{node._full_name()}: the stand-in does nothing for the knobs Achannels and Bchannels")
    return f"{output} {words(node, 'also_merge', context, 'none')}"


def old_shuffle(plan: Plan, node: Any, context: Any) -> Made:
    """The four channels of one layer, black or white as the channels of another."""
    source, target = (_layer(node, name, context) for name in ("in", "out"))
    rows = []
    for place, to in enumerate(target):
        chosen = str(value(node, _COLOURS[place], context))
        if chosen in _COLOURS:
            at = _COLOURS.index(chosen)
            chosen = source[at] if at < len(source) else "black"
        elif chosen not in ("black", "white"):
            raise RuntimeError(f"{node._full_name()}: the stand-in's Shuffle has one input layer, and no {chosen}")
        rows.append([0, chosen, to])
    return plan.combined({"op": "shuffle", "mappings": rows}, inputs_of(plan, node, context, 1), context)


def _layer(node: Any, name: str, context: Any) -> list:
    """Return the channels of a layer in the order of a Shuffle's places.

    Hypothesis: those that are no colours have the first places. Of `alpha` the documents do not tell the place.
    """
    text = words(node, name, context)
    found = session.current().layers.expand(text)
    if text not in session.current().layers.names() or text == "alpha" or len(found) > len(_COLOURS):
        raise RuntimeError(f"{node._full_name()}: the stand-in's Shuffle takes whole layers, not {text!r}")
    return found


def shuffle(plan: Plan, node: Any, context: Any) -> Made:
    """Channels under other names, as the text of `mappings` says."""
    sources = [_from_input(words(node, f"fromInput{index}", context)) for index in (1, 2)]
    step = {"op": "shuffle", "mappings": mappings(words(node, "mappings", context, ""), sources)}
    return plan.combined(step, inputs_of(plan, node, context, 2), context)


def _from_input(text: str) -> int:
    """Read `B`, `A`, or `{0} B` as files have it: the number of the input that in1 or in2 stands for."""
    return {"B": 0, "A": 1}[text.split()[-1]]


def mappings(text: str, sources: list) -> list:
    """Read `COUNT (source layer index target layer index)...` into (input, source, target).

    That is how scripts of Nuke 13 and later have it. A source's layer is 0 for in1, 1 for in2, and -1 for `black` and
    `white`; `sources` are the inputs of in1 and in2.
    """
    items = text.replace("{", " ").replace("}", " ").replace('"', " ").split()
    if not items:
        return []
    rows = [items[at : at + 6] for at in range(1, len(items), 6)]
    if len(rows) != int(items[0]) or any(len(row) != 6 for row in rows):
        raise RuntimeError(f"mappings that cannot be read: {text!r}")
    return [[sources[max(0, int(row[1]))], row[0], row[3]] for row in rows]


def expression(plan: Plan, node: Any, context: Any) -> Made:
    """Channels computed from channels: trees in which all but the pixels is worked out."""
    resolver = _Resolver(node, context)
    rows = []
    for at in range(4):
        text = str(value(node, f"expr{at}", context)).strip()
        if text:
            rows.append([_named(words(node, f"channel{at}", context)), resolver.tree(text)])
    step = masked(node, context, {"op": "expression", "rows": rows})
    return plan.combined(step, inputs_of(plan, node, context, 2), context)


def _named(text: str) -> str:
    """Return a set of channels by their full names; `all` is all that the picture has."""
    return text if "all" in text.split() else " ".join(session.current().layers.expand(text))


class _Resolver:
    """Reads the expressions of one node; `temporary` are the trees of its own variables."""

    def __init__(self, node: Any, context: Any) -> None:
        self.node, self.context = node, context
        self.temporary: dict[str, list] = {}
        for at in range(4):
            name = str(value(node, f"temp_name{at}", context)).strip()
            if name:
                self.temporary[name] = self.tree(str(value(node, f"temp_expr{at}", context)) or "0")

    def tree(self, text: str) -> list:
        return self.resolved(trees.parsed(with_commands(text, self.node, self.context)))

    def resolved(self, tree: list) -> list:
        if tree[0] == "name":
            return self.named(tree[1])
        return [self.resolved(one) if isinstance(one, list) else one for one in tree]

    def named(self, name: str) -> list:
        if name in self.temporary:
            return self.temporary[name]
        if name in _PLACES:
            return ["place", name]
        try:
            return ["channel", session.current().layers.channel(_PIXEL.get(name, name))]
        except ValueError:
            found = name_value(name, self.node, self.context)
        if not isinstance(found, (int, float)):
            raise ExpressionError(f"{self.node._full_name()}: {name} is no number")
        return ["number", float(found)]


def keyer(plan: Plan, node: Any, context: Any) -> Made:
    """An alpha that rises from the first to the second end of `range`, and falls from the third to the fourth."""
    operation = str(value(node, "operation", context))
    step = masked(node, context, {"op": "keyer", "operation": operation})
    step.update(range=[float(end) for end in value(node, "range", context)], output=words(node, "output", context))
    step["invert"] = bool(value(node, "invert", context))
    return plan.combined(step, inputs_of(plan, node, context, 2), context)
