"""Help of commands with many options: in groups, those that people reach for first, and all with `--help-all`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

REST = "Options"  # the group of what no group names
_ALL = f"{__name__}.all"  # in a context: whether everything is asked for


class GroupedCommand(click.Command):
    """A command whose help has its options in groups.

    Attributes:
        groups: headings, with the options below each in their order, such as `--plate`. The rest comes last.
        examples: words of the command, without its own name.
    """

    def __init__(
        self,
        *args: Any,
        groups: Mapping[str, Sequence[str]] | None = None,
        examples: Sequence[str] = (),
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.groups = groups or {}
        self.examples = examples

    def heading(self, param: click.Parameter) -> str:
        """Return the group of an option."""
        found = (heading for heading, options in self.groups.items() if not set(options).isdisjoint(param.opts))
        return next(found, REST)

    def is_rare(self, param: click.Parameter) -> bool:  # noqa: ARG002 - subclasses look
        """Whether an option is in the help only where everything is asked for."""
        return False

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by group, in the order of the groups."""
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in self.groups}
        for param in sorted(self.get_params(ctx), key=self._place):
            record = param.get_help_record(ctx)
            if record is not None and (ctx.meta.get(_ALL) or not self.is_rare(param)):
                sections.setdefault(self.heading(param), []).append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if not self.examples:
            return
        with formatter.section("Examples"):
            for words in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{ctx.command_path} {words}\n")

    def _place(self, param: click.Parameter) -> int:
        """Return where an option stands within its group; those of no group keep their order."""
        options = list(self.groups.get(self.heading(param), ()))
        return min((options.index(option) for option in param.opts if option in options), default=0)


def help_all_option(command: Any) -> Any:
    """Give a command the option `--help-all`, which shows rare options too."""
    return click.option(
        "--help-all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_all,
        help="Show all options: also the settings that only some engines have.",
    )(command)


def _show_all(ctx: click.Context, param: click.Parameter, asked: bool) -> None:  # noqa: ARG001 - as click calls it
    if asked and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
