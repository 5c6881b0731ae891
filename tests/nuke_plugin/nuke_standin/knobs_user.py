"""User knobs as files define them: `addUserKnob {id name l label t tooltip T text M {menu} R min max +FLAG}`."""

from __future__ import annotations

from typing import Any

from nuke_standin import knobs
from nuke_standin.flags import FLAGS, KINDS, OTHERS, WITHOUT_CLASS
from nuke_standin.words import Word, quoted, split

_FIRST_CHOICE = {"Text_Knob": 26, "Multiline_Eval_String_Knob": 43, "PyCustom_Knob": 52}  # of several numbers
_TEXTS = (22, 26, 32, 41, 52, 58, 21, 27)  # kinds whose T is a script, a text or a link


def parsed(word: Word) -> Any:
    """Return the knob that a definition names; raises ValueError for what is no definition."""
    words = split(word.text, word.line)
    if not words or not words[0].text.isdigit():
        raise ValueError(f"no user knob: {word.text!r}")
    kind = int(words[0].text)
    name = words[1].text if len(words) > 1 else ""
    options = _options(words[2:], kind)
    knob = _made(kind, name, options)
    knob._user_kind = kind
    _dress(knob, options)
    knob._freeze()
    return knob


def _options(words: list, kind: int) -> dict:
    found: dict[str, Any] = {"flags": []}
    at = 0
    while at < len(words):
        text = words[at].text
        if text[:1] in ("+", "-") and text[1:].replace("_", "").isalpha():
            found["flags"].append(text)
            at += 1
            continue
        takes = 2 if text == "R" else 1
        if text not in ("l", "t", "T", "R", "M", "n", "L") or at + takes >= len(words):
            raise ValueError(f"a user knob of kind {kind} has an option {text!r} that is not known")
        found[text] = [word.text for word in words[at + 1 : at + 1 + takes]]
        at += 1 + takes
    return found


def _made(kind: int, name: str, options: dict) -> Any:
    if kind not in KINDS and kind not in WITHOUT_CLASS:
        raise ValueError(f"no kind of knob {kind}")
    cls = getattr(knobs, KINDS.get(kind, "String_Knob"))
    if issubclass(cls, knobs.Enumeration_Knob):
        return cls(name, None, [word.text for word in split(options.get("M", [""])[0])])
    if cls is knobs.Tab_Knob:
        return cls(name, None, int(options.get("n", ["0"])[0]))
    if kind == 9 or kind == 78:
        return cls(name, None, 3 if kind == 78 else 1)
    return cls(name)


def _dress(knob: Any, options: dict) -> None:
    if "l" in options:
        knob._label = options["l"][0]
    if "t" in options:
        knob._tooltip = options["t"][0]
    if "R" in options and isinstance(knob, knobs.Array_Knob):
        knob._range = (float(options["R"][0]), float(options["R"][1]))
    if "T" in options:
        _put_text(knob, options["T"][0])
    for flag in options["flags"]:
        number = FLAGS.get(flag[1:], 0)
        knob._flags = knob._flags | number if flag[0] == "+" else knob._flags & ~number
        if flag == "-STARTLINE":
            knob._no_startline = True


def _put_text(knob: Any, text: str) -> None:
    if isinstance(knob, knobs.Link_Knob):
        knob._target = text
    elif hasattr(knob, "_text"):
        knob._text = text


def written(knob: Any, value_follows: bool = False) -> str:
    """Return the definition of a user knob as a line of a file; with its first text where a value follows."""
    words = [str(knob._user_kind), quoted(knob._name)]
    if knob._label is not None:
        words += ["l", quoted(knob._label)]
    if knob._tooltip:
        words += ["t", quoted(knob._tooltip)]
    text = _text(knob, value_follows)
    if text:
        words += ["T", quoted(text)]
    if isinstance(knob, knobs.Enumeration_Knob):
        listed = [value for value in knob._values if value not in knob._typed]
        words += ["M", "{" + " ".join(quoted(value) for value in listed) + "}"]
    if isinstance(knob, knobs.Tab_Knob) and knob._tab:
        words += ["n", str(knob._tab)]
    if isinstance(knob, knobs.Array_Knob) and tuple(knob._range) != (0.0, 1.0):
        words += ["R", *(f"{end:g}" for end in knob._range)]
    words += [f"+{name}" for name, number in FLAGS.items() if knob._flags & number]
    if getattr(knob, "_no_startline", False):
        words.append("-STARTLINE")
    return "addUserKnob {" + " ".join(words) + "}"


def definition(knob: Any, value_follows: bool) -> str:
    """Return the line that defines a user knob: where nothing of it has changed, the script's own."""
    ours = written(knob, value_follows)
    if knob._definition is None:
        return ours
    then, text = knob._definition
    return "addUserKnob {" + text + "}" if then in ("", ours) else ours


def _text(knob: Any, value_follows: bool) -> str:
    if isinstance(knob, knobs.Link_Knob):
        return knob._target
    if knob._user_kind in _TEXTS and hasattr(knob, "_text"):
        return knob._default if value_follows else knob._text
    return ""


def value_in_definition(knob: Any) -> bool:
    """Tell whether the definition holds the value, so that no line of its own follows."""
    return knob._user_kind in _TEXTS and not isinstance(knob, knobs.Link_Knob)


def kind_of(knob: Any) -> int:
    """Return the number for a knob that Python made."""
    name = type(knob).__name__
    if name in _FIRST_CHOICE:
        return _FIRST_CHOICE[name]
    found = [number for number, known in KINDS.items() if known == name]
    if not found:
        raise TypeError(f"a {name} cannot be a user knob")
    return found[0]


TAB_STATES = (OTHERS["TABBEGINGROUP"], OTHERS["TABBEGINCLOSEDGROUP"], OTHERS["TABENDGROUP"])
