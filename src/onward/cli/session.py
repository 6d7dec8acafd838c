"""What every verb shares: its common options, the settings behind them, and how errors leave."""

from __future__ import annotations

import errno
import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from onward.cli import output
from onward.cli.problems import as_problem, print_problem
from onward.cli.progress import shown_progress
from onward.errors import OnwardError, UserError

if TYPE_CHECKING:
    from onward.cli.remote.application import RemoteApplication
    from onward.client import OnwardClient
    from onward.protocols import Progress
    from onward.settings import ResolvedSettings
    from onward.wiring import Application

__all__ = [
    "HomeOption",
    "JsonOption",
    "KeyOption",
    "ServerOption",
    "Session",
    "SetOption",
    "command",
    "group",
    "verb",
]

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Home directory (else ONWARD_HOME, else the platform's)."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Override a setting (model.n_rounds=50); repeatable."),
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="ONWARD_SERVER_URL",
        help="Run the verb on this server instead of on this machine.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        envvar="ONWARD_API_KEY",
        help="API key of the server, - to read it from the input; better ONWARD_API_KEY, since other users "
        "of a machine see what is on a command line.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@dataclass(frozen=True)
class Session:
    """One call of the command line.

    Attributes
    ----------
    home
        What ``--home`` said.
    overrides
        What ``--set`` said, those before the verb first.
    as_json
        Whether results and errors are written as JSON.
    server, api_key
        What ``--server`` and ``--api-key`` said; without a server everything is done here.
    """

    home: Path | None = None
    overrides: tuple[str, ...] = ()
    as_json: bool = False
    server: str | None = None
    api_key: str | None = field(default=None, repr=False)
    _clients: list[OnwardClient] = field(default_factory=list, repr=False, compare=False)

    @property
    def client(self) -> OnwardClient:
        """Talks to the server; only where there is one, and one for all that came of this session."""
        if not self._clients:
            from onward.client import OnwardClient

            assert self.server is not None
            self._clients.append(OnwardClient(self.server, api_key=self.api_key))
        return self._clients[0]

    def close(self) -> None:
        """Close connections to the server."""
        while self._clients:
            self._clients.pop().close()

    def settings(self, plan: str | None = None) -> ResolvedSettings:
        """Read the settings; ``plan`` is a plan file or the name of a preset. The home is no file."""
        from onward.settings import load_settings

        named = plan is not None and _is_preset(plan)
        preset, file = (plan, None) if named else (None, plan)
        resolved = load_settings(home=self.home, overrides=self.overrides, preset=preset, plan_file=file)
        resolved.home.checked()
        return resolved

    def also(self, *overrides: str) -> Session:
        """Return the session with further overrides, which rank above those it has."""
        return replace(self, overrides=(*self.overrides, *overrides))

    def application(self, plan: str | None = None) -> Application:
        """Build the services for these settings; those of the server if there is one.

        What verbs ask of the two has the same shape, so that they show both in the same way. What a
        server does not offer it refuses by name (`onward.cli.remote.application`).
        """
        if self.server is not None:
            return cast("Application", self._remote(plan))
        from onward.wiring import build_application

        return build_application(self.settings(plan))

    def named(self, path: Path | None) -> str | None:
        """Return how a request names a file: whole here, as it was given where the server looks for it."""
        if path is None or self.server is not None:
            return None if path is None else str(path)
        return str(path.expanduser().absolute())

    def _remote(self, plan: str | None) -> RemoteApplication:
        from onward.cli.remote.application import RemoteApplication
        from onward.cli.remote.plans import asked_plan

        preset = plan if plan is not None and _is_preset(plan) else None
        asked = asked_plan(None if preset is not None else plan, preset, self.overrides)
        return RemoteApplication(self.client, asked)

    def progress(self) -> AbstractContextManager[Progress]:
        """Give a `Progress` that shows on standard error what long work is doing."""
        return shown_progress(plain=self.as_json)

    def show(self, value: Any, render: Callable[[], None]) -> None:
        """Write a result: the value as JSON, or whatever ``render`` writes for people."""
        if self.as_json:
            output.print_json(value)
        else:
            render()


def group(summary: str) -> typer.Typer:
    """Return an empty command, to be filled with verbs."""
    app = typer.Typer(help=summary, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.callback()(lambda: None)  # so that a single verb keeps its name
    return app


def command() -> typer.Typer:
    """Return an empty command that a single verb fills: ``onward train``, without a verb below it."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def verb(
    app: typer.Typer, name: str | None = None, *, remote: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a verb; its first argument is the `Session`.

    The options ``--home``, ``--set`` and ``--json`` are added to its own, so that every verb
    takes them in the same way. An `OnwardError` is printed as a message that teaches and becomes
    the exit code; so does what the operating system refuses. A verb that is not ``remote`` refuses
    to run with ``--server``.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        @functools.wraps(function)
        def run(context: typer.Context, **arguments: Any) -> None:
            session = _session(
                context, arguments.pop("home"), arguments.pop("overrides"), arguments.pop("as_json")
            )
            try:
                if session.server is not None and not remote:
                    raise _only_here(context.command_path, session.server)
                function(session, **arguments)
            except OnwardError as error:
                print_problem(error, as_json=session.as_json)
                raise typer.Exit(error.exit_code) from error
            except OSError as error:
                if error.errno == errno.EPIPE:  # `onward ... | head`: the reader has had enough
                    raise
                problem = as_problem(error)
                print_problem(problem, as_json=session.as_json)
                raise typer.Exit(problem.exit_code) from error
            finally:
                session.close()

        first = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [first, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *_common()]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name)(run)
        return function

    return register


def _common() -> list[inspect.Parameter]:
    def parameter(name: str, default: Any, annotation: Any) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    return [
        parameter("home", None, HomeOption),
        parameter("overrides", None, SetOption),
        parameter("as_json", False, JsonOption),
    ]


def _session(
    context: typer.Context, home: Path | None, overrides: list[str] | None, as_json: bool
) -> Session:
    root = context.find_root().obj
    base = root if isinstance(root, Session) else Session()
    return replace(
        base,
        home=home if home is not None else base.home,
        overrides=(*base.overrides, *(overrides or ())),
        as_json=as_json or base.as_json,
    )


def _only_here(verb: str, server: str) -> UserError:
    return UserError(
        "this verb works on the machine that it is called on, not through a server",
        got=f"{verb} with --server {server}",
        allowed="jobs, models, predict, data import, data list, data remove, features list, config show, "
        "train and tune with --background",
        remedy="Call it on the server's machine, or without --server (and ONWARD_SERVER_URL).",
    )


def _is_preset(plan: str) -> bool:
    """Tell a preset's name from a file: a bare word of which no file exists."""
    return not (plan.endswith(".toml") or Path(plan).name != plan or Path(plan).exists())
