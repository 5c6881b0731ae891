"""Settings as fields of a form, made of the engines' own records: label, help, bounds and default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from videomama_client.engine_settings import AdjustSettings, OutlineSettings, TrimapSettings
from videomama_client.setting_spec import CHOICE, NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings

SHARED, MAKER, ENGINE, REFINER, ADJUST = "s.", "m.", "e.", "r.", "a."  # before the names of fields
SHARED_SPECS = {spec.name: spec for spec in specs_of(MatteSettings) if spec.name != "engine"}
_SHARED_GROUPS = {
    "Plate": ("plate_layer", "view", "colorspace", "exposure"),
    "Mask files": ("mask_channel", "mask_colour", "mask_grow", "mask_close_holes"),
    "Region and windows": ("roi", "window", "overlap"),
}
_TRIMAP = frozenset(spec.name for spec in specs_of(TrimapSettings))
_OUTLINE = frozenset(spec.name for spec in specs_of(OutlineSettings))


@dataclass(frozen=True)
class SettingField:
    """One field.

    Attributes:
        name: of the field, such as ``e.mask_slack``.
        spec: of its setting.
        value: as text; empty for the default.
    """

    name: str
    spec: SettingSpec
    value: str = ""

    @property
    def label(self) -> str:
        """What a person reads beside it."""
        return self.spec.name.replace("_", " ").capitalize()

    @property
    def default(self) -> str:
        """The default as text; `auto` where the engine or the server decides, empty for none."""
        if self.spec.kind == YES_NO:
            return "yes" if self.spec.default else "no"
        if self.spec.default is None:
            return "auto"
        return f"{self.spec.default:g}" if isinstance(self.spec.default, float) else str(self.spec.default)

    @property
    def options(self) -> Sequence[str]:
        """What can be chosen; empty for a field that is typed into."""
        return ("no", "yes") if self.spec.kind == YES_NO else self.spec.choices if self.spec.kind == CHOICE else ()

    @property
    def chosen(self) -> str:
        """Which of the options is chosen."""
        return self.value or self.default

    @property
    def is_number(self) -> bool:
        """Whether a number is typed into it."""
        return self.spec.kind in {NUMBER, WHOLE_NUMBER}

    @property
    def step(self) -> str:
        """By which its arrows count."""
        return "1" if self.spec.kind == WHOLE_NUMBER else "any"


@dataclass(frozen=True)
class Group:
    """Fields that belong together, under a title."""

    title: str
    fields: Sequence[SettingField]


def shared(values: Mapping[str, str]) -> list[Group]:
    """Return what all engines share; `values` holds those that are set, by the names of fields."""
    return [
        Group(title, [_field(SHARED, SHARED_SPECS[name], values) for name in names])
        for title, names in _SHARED_GROUPS.items()
    ]


def adjustments(values: Mapping[str, str]) -> Group:
    """Return what changes a finished alpha."""
    return Group("Adjust the alpha", [_field(ADJUST, spec, values) for spec in specs_of(AdjustSettings)])


def own(prefix: str, specs: Iterable[SettingSpec], values: Mapping[str, str]) -> list[Group]:
    """Return an engine's own settings in groups; those that are empty are left out.

    Args:
        prefix: of the names of its fields.
        specs: of its settings.
        values: those that are set, by the names of fields.
    """
    titles = {"Outline of the mask": _OUTLINE, "Trimap": _TRIMAP}
    groups: dict[str, list[SettingField]] = {title: [] for title in (*titles, "")}
    for spec in specs:
        title = next((title for title, names in titles.items() if spec.name in names), "")
        groups[title].append(_field(prefix, spec, values))
    return [Group(title, fields) for title, fields in groups.items() if fields]


def _field(prefix: str, spec: SettingSpec, values: Mapping[str, str]) -> SettingField:
    name = f"{prefix}{spec.name}"
    return SettingField(name, spec, values.get(name, ""))
