"""The control socket's client: the operations of the running component, for the command line."""

import contextlib
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from pydantic import TypeAdapter

from component.control.codec import ControlError, decode, decode_error, encode
from component.services.operations import (
    BlockRow,
    CheckLine,
    EmployeeRow,
    ImportReport,
    Progress,
    StatusRow,
    SyncReport,
)
from component.services.why import Why

T = TypeVar("T")

_BLOCK = TypeAdapter(BlockRow)
_BLOCKS = TypeAdapter(list[BlockRow])
_CHECKS = TypeAdapter(list[CheckLine])
_EMPLOYEES = TypeAdapter(list[EmployeeRow])
_PROGRESS = TypeAdapter(Progress)
_REPORT = TypeAdapter(ImportReport)
_STATUS = TypeAdapter(StatusRow)
_STATUSES = TypeAdapter(list[StatusRow])
_SYNC = TypeAdapter(SyncReport)
_WHY = TypeAdapter(Why)


class ControlClient:
    """Asks the running component. Every method raises what `_call` raises."""

    def __init__(self, path: Path, *, patience: float = 120.0) -> None:
        """`patience` (seconds) is how long a component may be silent before it counts as hung."""
        self._path = path
        self._timeout = aiohttp.ClientTimeout(total=None, connect=5.0, sock_read=patience)

    async def import_employees(
        self,
        csv_text: str,
        *,
        dry_run: bool,
        allow_removals: int | None,
        progress: Callable[[Progress], None],
    ) -> ImportReport:
        """See `Operations.import_employees`."""
        arguments = {"csv": csv_text, "dry_run": dry_run, "allow_removals": allow_removals}
        return await self._call("import-employees", _REPORT, arguments, progress)

    async def employees(self) -> list[EmployeeRow]:
        """See `Operations.employees`."""
        return await self._call("employees", _EMPLOYEES)

    async def statuses(self) -> list[StatusRow]:
        """See `Operations.statuses`."""
        return await self._call("statuses", _STATUSES)

    async def status(self, employee: str) -> StatusRow:
        """See `Operations.status`."""
        return await self._call("status", _STATUS, {"employee": employee})

    async def set_status(self, employee: str, value: str, *, text: str | None, until: datetime | None) -> StatusRow:
        """See `Operations.set_status`."""
        arguments = {"employee": employee, "value": value, "text": text, "until": until}
        return await self._call("set-status", _STATUS, arguments)

    async def block(self, employee: str, other: str) -> BlockRow:
        """See `Operations.block`."""
        return await self._call("block", _BLOCK, {"employee": employee, "other": other})

    async def unblock(self, employee: str, other: str) -> BlockRow:
        """See `Operations.unblock`."""
        return await self._call("unblock", _BLOCK, {"employee": employee, "other": other})

    async def blocks(self) -> list[BlockRow]:
        """See `Operations.blocks`."""
        return await self._call("blocks", _BLOCKS)

    async def why(self, employee: str, viewer: str | None) -> Why:
        """See `Operations.why`."""
        return await self._call("why", _WHY, {"employee": employee, "viewer": viewer})

    async def survey_rosters(self, *, restore: str | None, progress: Callable[[Progress], None]) -> SyncReport:
        """See `Operations.survey_rosters`."""
        return await self._call("survey-rosters", _SYNC, {"restore": restore}, progress)

    async def sync_rosters(
        self, drifted: dict[str, int], *, restore: str | None, yes: bool, progress: Callable[[Progress], None]
    ) -> SyncReport:
        """See `Operations.sync_rosters`."""
        arguments = {"drifted": drifted, "restore": restore, "yes": yes}
        return await self._call("sync-rosters", _SYNC, arguments, progress)

    async def health(self) -> list[CheckLine]:
        """See `Operations.health`."""
        return await self._call("health", _CHECKS)

    async def _call(
        self,
        command: str,
        adapter: TypeAdapter[T],
        arguments: Mapping[str, object] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> T:
        """Send a command and read its answer.

        Raises OperationError if the component refused, ControlError if it cannot be reached or went away.
        """
        async with contextlib.aclosing(self._answers(command, encode(arguments or {}))) as answers:
            async for answer in answers:
                match answer:
                    case {"progress": report}:
                        if progress is not None:
                            progress(decode(_PROGRESS, report))
                    case {"result": result}:
                        return decode(adapter, result)
                    case {"error": error}:
                        raise decode_error(error)
        raise self._went_away()

    async def _answers(self, command: str, arguments: object) -> AsyncGenerator[Any, None]:
        connector = aiohttp.UnixConnector(path=str(self._path))
        # A file object: aiohttp warns of large bodies that come as bytes.
        body = io.BytesIO(json.dumps(arguments).encode())
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=self._timeout) as session,
                session.post(f"http://component/{command}", data=body) as response,
            ):
                async for line in _lines(response.content):
                    yield json.loads(line)
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error.os_error) from None
        except TimeoutError:
            raise ControlError(
                "the component did not answer in time", "it hangs or is busy: see its log, then try again"
            ) from None
        except (aiohttp.ClientError, ConnectionError, json.JSONDecodeError):
            raise self._went_away() from None

    def _unreachable(self, error: OSError) -> ControlError:
        start = "start it with `panel-presence run -c FILE`"
        match error:
            case FileNotFoundError() | NotADirectoryError():
                return ControlError(f"the component does not run (no socket at {self._path})", start)
            case ConnectionRefusedError():
                return ControlError(f"the component does not run (nobody listens on {self._path})", start)
            case PermissionError():
                return ControlError(
                    f"the socket {self._path} may not be opened by this user",
                    "run this command as the component's user, for example with `sudo -u panel-presence`",
                )
        return ControlError(f"the socket {self._path} cannot be used: {error.strerror or error}", "see control.socket")

    def _went_away(self) -> ControlError:
        return ControlError(
            "the component went away before it had answered",
            "see its log; what was asked for may be done or not: look before asking again",
        )


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length; StreamReader's own lines are bounded."""
    pending: list[bytes] = []
    async for chunk in content.iter_any():
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            yield b"".join([*pending, line])
            pending.clear()
        pending.append(rest)
