"""What was meant by an option that there is not: often a key of the spec."""

from typing import Any

from typer.core import TyperGroup


class HintingGroup(TyperGroup):
    """The group of all commands: a key that was given as an option is told how to be set."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            # by its name: Typer has click inside from some version on, and beside it before
            if type(error).__name__ == "NoSuchOption":
                error.message += _hint(error)  # type: ignore[attr-defined]
            raise


def _hint(error: Any) -> str:
    """Return ` (a key of a spec: -s training.epochs=…)`, where the command takes such settings."""
    from lenetctl.specs.reference.keys import namesakes

    takes_settings = error.ctx and "overrides" in {p.name for p in error.ctx.command.params}
    keys = namesakes(error.option_name.lstrip("-").replace("-", "_")) if takes_settings else []
    return f" (a key of a spec: {' or '.join(f'-s {key}=…' for key in keys)})" if keys else ""
