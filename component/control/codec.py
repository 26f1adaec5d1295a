"""What goes over the control socket: the requests, and results, progress and errors as JSON.

A request is POST /COMMAND with a JSON object. The answer is one JSON object a line: any number of
{"progress": …}, then one {"result": …} or {"error": {"code", "text", "hint", "details"}}.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from component.services.operations import OperationError

T = TypeVar("T")


class ControlError(Exception):
    """The control socket cannot be served or reached; `hint` says what to do next."""

    def __init__(self, text: str, hint: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class Request(BaseModel):
    """The arguments of a command; a command without arguments takes just this."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportEmployees(Request):
    """The arguments of `import-employees`."""

    csv: str
    dry_run: bool = False
    allow_removals: int | None = Field(default=None, ge=0)


class OneEmployee(Request):
    """The arguments of `status`: an employee's id."""

    employee: str


class Explain(Request):
    """The arguments of `why`: an employee's id, and perhaps a viewer's."""

    employee: str
    viewer: str | None = None


class SetStatus(Request):
    """The arguments of `set-status`; `until` needs an offset."""

    employee: str
    value: str
    text: str | None = None
    until: AwareDatetime | None = None


class TwoEmployees(Request):
    """The arguments of `block` and `unblock`: the ids of who blocks, and of whom."""

    employee: str
    other: str


class SurveyRosters(Request):
    """The arguments of `survey-rosters`: whose deletions by hand are to be passed over."""

    restore: str | None = None


class SyncRosters(Request):
    """The arguments of `sync-rosters`: the drifted rosters of a survey, each with its number of changes."""

    drifted: dict[str, int]
    restore: str | None = None
    yes: bool = False


REQUESTS: Mapping[str, type[Request]] = MappingProxyType(
    {
        "import-employees": ImportEmployees,
        "employees": Request,
        "statuses": Request,
        "status": OneEmployee,
        "set-status": SetStatus,
        "block": TwoEmployees,
        "unblock": TwoEmployees,
        "blocks": Request,
        "why": Explain,
        "survey-rosters": SurveyRosters,
        "sync-rosters": SyncRosters,
        "health": Request,
    }
)


def parse_request(command: str, body: bytes) -> Request:
    """Read the arguments of a command; an empty body stands for none.

    Raises OperationError `unknown-command` or `bad-request`, which names each wrong argument.
    """
    if command not in REQUESTS:
        raise OperationError("unknown-command", f'there is no command "{command}"', f"commands: {', '.join(REQUESTS)}")
    try:
        return REQUESTS[command].model_validate_json(body or b"{}")
    except ValidationError as error:
        problems = tuple(_problem(dict(details)) for details in error.errors(include_url=False))
    raise OperationError("bad-request", f"the arguments of {command} are wrong", details=problems)


def _problem(details: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in details["loc"])
    return f"{name}: {details['msg']}" if name else str(details["msg"])


def encode(value: object) -> Any:
    """Turn a dataclass, or a list of them, into what JSON can hold; times become ISO 8601."""
    return to_jsonable_python(value)


def decode(adapter: TypeAdapter[T], value: object) -> T:
    """Undo `encode`; members that this version does not know are passed over.

    Raises ControlError if the value is of another kind: the other side is of another version.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _other_version(f"{error.error_count()} members are missing or wrong") from None


def encode_error(error: OperationError) -> dict[str, object]:
    """Turn an error into what JSON can hold."""
    return {"code": error.code, "text": error.text, "hint": error.hint, "details": list(error.details)}


def decode_error(value: object) -> OperationError:
    """Undo `encode_error`; raises ControlError for anything else."""
    match value:
        case {"code": str(code), "text": str(text), **rest}:
            details = rest.get("details")
            lines = tuple(map(str, details)) if isinstance(details, list) else ()
            hint = rest.get("hint")
            return OperationError(code, text, hint if isinstance(hint, str) else None, lines)
    raise _other_version("an error without code and text")


def _other_version(what: str) -> ControlError:
    return ControlError(
        f"the answer was not understood: {what}",
        "the component and this command are of different versions: restart the component",
    )
