# ruff: noqa: N802, N803, A002 - these are Nuke's names
"""The functions of `nuke` that speak to a person: messages, questions, menus, panels, progress."""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Optional

from nuke_standin import ranges, session


def message(prompt: str) -> None:
    """Show a modal box; a terminal prints it."""
    _said("message", prompt, modal=True)


alert = message


def warning(message: str) -> None:
    _said("warning", message)


def error(message: str) -> None:
    _said("error", message)


def debug(message: str) -> None:
    _said("debug", message)


def critical(message: str) -> None:
    """Report what is fatal; a terminal ends."""
    _said("critical", message)
    if not session.current().gui:
        raise SystemExit(1)


def tprint(*args: Any, sep: str = " ", end: str = "\n", file: Any = None) -> None:
    print(*args, sep=sep, end=end, file=file or sys.stdout)


def _said(kind: str, text: Any, modal: bool = False) -> None:
    here = session.current()
    if not isinstance(text, str):
        raise TypeError("text is needed")
    if modal:
        here.refuse_when_busy()
    here.messages.append((kind, text))
    if not here.gui:
        stream = sys.stdout if kind == "message" else sys.stderr
        print(text, file=stream)


def _answer(kind: str, prompt: str) -> Any:
    here = session.current()
    here.refuse_when_busy()
    if not here.gui:
        raise RuntimeError(f"{kind}: there is nobody to ask in terminal mode")
    here.messages.append((kind, prompt))
    if not here.answers:
        raise RuntimeError(f"{kind}: the test left no answer in session.answers for {prompt!r}")
    return here.answers.pop(0)


def ask(prompt: str) -> bool:
    return bool(_answer("ask", prompt))


def askWithCancel(prompt: str) -> bool:
    return bool(_answer("ask", prompt))


def getInput(prompt: str, default: str = "") -> Optional[str]:
    return _answer("input", prompt)


def getFilename(
    message: str, pattern: str = "", default: str = "", favorites: str = "", type: str = "", multiple: bool = False
) -> Any:
    return _answer("filename", message)


def choice(title: str, prompt: str, options: Any, default: int = 0) -> Any:
    return _answer("choice", prompt)


def getFramesAndViews(label: str, default: Optional[str] = None, maxviews: int = 0) -> Any:
    """Ask for a range: a person's answer is text, or None for Cancel."""
    found = _answer("frames", label)
    return None if found is None else (found, session.current().views())


_bars: weakref.WeakSet = weakref.WeakSet()


class ProgressTask:
    """A bar that stays while the object lives. May be used in any thread."""

    def __init__(self, title: str = "") -> None:
        self._title, self._message, self._progress = title, "", 0
        self._cancelled = False
        _bars.add(self)

    def setMessage(self, message: str) -> None:
        if not isinstance(message, str):
            raise TypeError("text is needed")
        self._message = message

    def setProgress(self, progress: int) -> None:
        if not isinstance(progress, int):
            raise TypeError("a whole number from 0 to 100 is needed")
        self._progress = progress

    def isCancelled(self) -> bool:
        return self._cancelled

    def _press_cancel(self) -> None:
        self._cancelled = True


def progress_bars() -> list:
    """Return the bars that a person sees, as (title, message, percent)."""
    return [(bar._title, bar._message, bar._progress) for bar in list(_bars)]


def press_cancel() -> None:
    """Press Cancel on every bar."""
    for bar in list(_bars):
        bar._press_cancel()


class MenuItem:
    """A command in a menu."""

    def __init__(self, name: str, command: Any = None, shortcut: str = "", icon: str = "") -> None:
        self._name, self._command, self._shortcut, self._icon = name, command, shortcut, icon
        self._enabled = True

    def name(self) -> str:
        return self._name

    def invoke(self) -> None:
        """Do what the command does."""
        if callable(self._command):
            self._command()
        else:
            here = session.current()
            here.namespace.setdefault("nuke", sys.modules["nuke"])
            exec(self._command, here.namespace)  # noqa: S102 - menus hold Python text

    def script(self) -> str:
        return self._command if isinstance(self._command, str) else ""

    def setScript(self, script: str) -> None:
        self._command = script

    def icon(self) -> str:
        return self._icon

    def setIcon(self, icon: str) -> None:
        self._icon = icon

    def shortcut(self) -> str:
        return self._shortcut

    def setShortcut(self, keySequence: str) -> None:
        self._shortcut = keySequence

    def setEnabled(self, enabled: bool, recursive: bool = True) -> None:
        self._enabled = enabled


class Menu(MenuItem):
    """A menu: a path such as `Other/VideoMaMa` makes the menus on its way."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._items: list[Any] = []

    def items(self) -> list:
        return list(self._items)

    def _down(self, path: str) -> tuple[Any, str]:
        *way, last = path.split("/")
        here = self
        for name in way:
            here = here.addMenu(name)
        return here, last

    def addMenu(self, name: str, icon: str = "", tooltip: str = "", index: int = -1) -> Any:
        menu, last = self._down(name)
        found = menu.menu(last)
        if found is None:
            found = Menu(last)
            menu._items.append(found)
        return found

    def addCommand(
        self,
        name: str,
        command: Any = None,
        shortcut: str = "",
        icon: str = "",
        tooltip: str = "",
        index: int = -1,
        readonly: bool = False,
        shortcutContext: int = 0,
    ) -> MenuItem:
        menu, last = self._down(name)
        item = MenuItem(last, command, shortcut or "", icon)
        menu._items = [one for one in menu._items if one.name() != last or isinstance(one, Menu)] + [item]
        return item

    def addSeparator(self, index: int = -1) -> MenuItem:
        item = MenuItem("-")
        self._items.append(item)
        return item

    def menu(self, name: str) -> Any:
        found = self.findItem(name)
        return found if isinstance(found, Menu) else None

    def findItem(self, name: str) -> Any:
        first, _, rest = name.partition("/")
        for item in self._items:
            if item.name() == first:
                return item.findItem(rest) if rest and isinstance(item, Menu) else None if rest else item
        return None

    def removeItem(self, name: str) -> None:
        self._items = [item for item in self._items if item.name() != name]

    def clearMenu(self) -> None:
        self._items.clear()


_MENUS = ("Nuke", "Pane", "Nodes", "Properties", "Animation", "Viewer", "Node Graph", "Axis")


def menu(name: str) -> Any:
    """Return a menu of the window; a terminal has none."""
    here = session.current()
    if not here.gui or name not in _MENUS:
        return None
    return here.menus.setdefault(name, Menu(name))


def toolbar(name: str, create: bool = True) -> Any:
    return menu(name)


def getPaneFor(panelName: str) -> Any:
    return None


def activeViewer() -> Any:
    return None


def nukescripts() -> types.ModuleType:
    """Return the double of the module `nukescripts`: panels are registered, nothing is drawn."""
    module = types.ModuleType("nukescripts")
    panels = types.ModuleType("nukescripts.panels")

    def registerWidgetAsPanel(widget: str, name: str, id: str, create: bool = False) -> Any:
        if not isinstance(widget, str):
            raise TypeError("the widget is named by text, which is evaluated later")
        session.current().panels.append((widget, name, id))
        if not create:
            return None
        raise NotImplementedError("the double makes no panel; evaluate the widget's text")

    panels.registerWidgetAsPanel = registerWidgetAsPanel
    module.panels = panels
    module.replaceHashes = ranges.normal_padding
    return module


PUBLIC = (
    message, alert, warning, error, debug, critical, tprint, ask, askWithCancel, getInput, getFilename, choice,
    getFramesAndViews, menu, toolbar, getPaneFor, activeViewer,
)  # fmt: skip
