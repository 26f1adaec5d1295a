"""The control socket's server: HTTP over a Unix socket (unix(7)) that only its owner can open."""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path

from aiohttp import web

from component.control.codec import (
    ControlError,
    Explain,
    ImportEmployees,
    OneEmployee,
    Request,
    SetStatus,
    SurveyRosters,
    SyncRosters,
    TwoEmployees,
    encode,
    encode_error,
    parse_request,
)
from component.services.operations import OperationError, Operations, Progress

logger = logging.getLogger(__name__)

MAX_REQUEST = 64 * 1024 * 1024
"""Bytes of a request; a directory of 10,000 employees has about one million."""

_STATUS = {"unknown-command": 404, "too-large": 413}


class ControlServer:
    """Serves the operations on a socket until stopped."""

    def __init__(
        self,
        operations: Operations,
        path: Path,
        *,
        stop_timeout: float = 10.0,
        max_request: int = MAX_REQUEST,
    ) -> None:
        """`stop_timeout` (seconds) is how long `stop` lets what runs finish; `max_request` is in bytes."""
        self._operations = operations
        self._path = path
        self._stop_timeout = stop_timeout
        self._max_request = max_request
        self._running: set[asyncio.Task[object]] = set()
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._inode: int | None = None

    async def start(self) -> None:
        """Open the socket. Raises ControlError if that is not possible or another component listens there."""
        listener = open_socket(self._path)
        self._inode = self._path.stat().st_ino
        application = web.Application(client_max_size=self._max_request)
        application.router.add_post("/{command}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.SockSite(self._runner, listener)
        await self._site.start()

    async def stop(self) -> None:
        """Close the socket, remove its file and let what runs finish; harmless when not started."""
        # Another component may have taken the path over: its file stays.
        if self._inode is not None and self._path.exists() and self._path.stat().st_ino == self._inode:
            self._path.unlink()
        self._inode = None
        if self._site is not None:
            await self._site.stop()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._stop_timeout)
            for task in late:
                task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._site = None

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        command = http.match_info["command"]
        try:
            request = parse_request(command, await http.read())
        except web.HTTPRequestEntityTooLarge:
            return _refuse(OperationError("too-large", f"a request is at most {self._max_request} bytes"))
        except OperationError as error:
            return _refuse(error)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(http)
        reports: asyncio.Queue[Progress | None] = asyncio.Queue()
        # A task of its own: whatever becomes of the client, an import that is being applied goes on.
        task = asyncio.create_task(self._perform(command, request, reports.put_nowait))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: reports.put_nowait(None))
        try:
            while (report := await reports.get()) is not None:
                await response.write(_line({"progress": encode(report)}))
        except ConnectionError:
            logger.info("the client of %s went away before the answer", command)
            if isinstance(request, SurveyRosters):  # it only reads, for nobody now
                task.cancel()
            await asyncio.wait([task])
        outcome = _outcome(command, task)
        with contextlib.suppress(ConnectionError):
            await response.write(_line(outcome))
            await response.write_eof()
        return response

    def _perform(
        self, command: str, request: Request, progress: Callable[[Progress], None]
    ) -> Coroutine[None, None, object]:
        match request:
            case ImportEmployees():
                return self._operations.import_employees(
                    request.csv,
                    dry_run=request.dry_run,
                    allow_removals=request.allow_removals,
                    progress=progress,
                )
            case SurveyRosters():
                return self._operations.survey_rosters(restore=request.restore, progress=progress)
            case SyncRosters():
                return self._operations.sync_rosters(
                    request.drifted, restore=request.restore, yes=request.yes, progress=progress
                )
            case Explain():
                return self._operations.why(request.employee, request.viewer)
            case SetStatus():
                return self._operations.set_status(
                    request.employee, request.value, text=request.text, until=request.until
                )
            case TwoEmployees():
                change = self._operations.block if command == "block" else self._operations.unblock
                return change(request.employee, request.other)
        return self._ask(command, request)

    async def _ask(self, command: str, request: Request) -> object:
        match command, request:
            case "status", OneEmployee():
                return self._operations.status(request.employee)
            case "employees", _:
                return self._operations.employees()
            case "statuses", _:
                return self._operations.statuses()
            case "blocks", _:
                return self._operations.blocks()
        return await self._operations.health()


def open_socket(path: Path) -> socket.socket:
    """Bind a Unix socket of mode 0600, making its directory (0700) and removing a stale file where needed.

    Raises ControlError, which says what to do, if another component listens there or the path cannot be used.
    """
    make_way(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mask makes the file private from its first moment; a chmod afterwards would leave a gap.
    mask = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
    except OSError as error:
        listener.close()
        raise _unusable(path, error) from None
    finally:
        os.umask(mask)
    return listener


def make_way(path: Path) -> None:
    """Make the socket's directory and remove what a crash left.

    Raises ControlError, which says what to do, if another component listens there or the path cannot be used.
    """
    try:
        _make_directory(path.parent)
        if not path.is_socket():
            return
        if _is_listened_on(path):
            raise ControlError(
                f"another component listens on {path}",
                "stop it first, or give this one a control.socket of its own",
            )
        path.unlink()
    except OSError as error:
        raise _unusable(path, error) from None


def _make_directory(path: Path) -> None:
    if path.is_dir():
        return
    mask = os.umask(0o077)
    try:
        path.mkdir(parents=True)
    finally:
        os.umask(mask)


def _is_listened_on(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
    return True


def _unusable(path: Path, error: OSError) -> ControlError:
    hint = "set control.socket to a path in a directory that the component's user may write"
    if isinstance(error, PermissionError):
        hint += " (a systemd unit makes one with RuntimeDirectory=panel-presence)"
    return ControlError(f"the control socket {path} cannot be opened: {error.strerror or error}", hint)


def _outcome(command: str, task: asyncio.Task[object]) -> dict[str, object]:
    if task.cancelled():
        return {"error": encode_error(OperationError("stopped", "the component was stopped meanwhile"))}
    error = task.exception()
    if isinstance(error, OperationError):
        return {"error": encode_error(error)}
    if error is not None:
        logger.error("the command %s failed", command, exc_info=error)
        text = f"the component failed: {type(error).__name__}"
        return {"error": encode_error(OperationError("internal", text, "its log has the details"))}
    return {"result": encode(task.result())}


def _refuse(error: OperationError) -> web.Response:
    body = _line({"error": encode_error(error)})
    return web.Response(body=body, status=_STATUS.get(error.code, 400), content_type="application/x-ndjson")


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
