"""ejabberd's HTTP API as far as the rosters need it, on a real local port, with the answers of the real one."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

BOT, PASSWORD = "panelbot@example.test", "пароль:1"
HTML = "<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """What a command answers instead of its own answer."""

    status: int = 200
    text: str = ""
    kind: str = "application/json"


class FakeEjabberdApi:
    """Accounts of example.test and their rosters, kept as get_roster shows them from 23.10 on, groups sorted.

    `versions` makes it 24.02 or later, with `/v1` and lists of groups. `answers` overrides commands; `drop` is how
    many of the next requests are cut off without an answer; `calls` are the paths and bodies that came.
    """

    def __init__(self, *, versions: bool = False) -> None:
        self.accounts = ["ivanov", "panelbot"]
        self.rosters: dict[str, dict[str, dict[str, object]]] = {}
        self.versions = versions
        self.answers: dict[str, Answer] = {}
        self.drop = 0
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.url = ""

    def called(self, command: str) -> int:
        """How often a command, with its version, was called."""
        return [path for path, _ in self.calls].count(command)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        path = request.match_info["command"]
        body = await request.json()
        self.calls.append((path, body))
        if self.drop:
            self.drop -= 1
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        expected = base64.b64encode(f"{BOT}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return self._error(401, 10, "You are not authorized to call this command.")
        command, _, version = path.partition("/")
        if version and not self.versions:
            return self._error(400, 40, "Missing command name.")
        if command in self.answers:
            answer = self.answers[command]
            return web.Response(status=answer.status, text=answer.text, content_type=answer.kind)
        return self._run(command, body)

    def _run(self, command: str, body: dict[str, object]) -> web.Response:
        match command:
            case "registered_users":
                known = body == {"host": "example.test"}
                return web.json_response(
                    self.accounts if known else "Unknown virtual host", status=200 if known else 400
                )
            case "get_roster":
                return web.json_response(self._rows(f"{body['user']}@{body['host']}"))
            case "delete_rosteritem":
                self._roster(body).pop(self._jid(body), None)
                return web.json_response(0)
            case "add_rosteritem":
                return self._add(body)
        return self._error(404, 40, "Endpoint not found.")

    def _add(self, body: dict[str, object]) -> web.Response:
        wanted = "groups" if self.versions else "group"
        if set(body) != {"localuser", "localhost", "user", "host", "nick", "subs", wanted}:
            return web.json_response("Request have unknown arguments: [group]", status=400)
        groups = body["groups"] if self.versions else str(body["group"]).split(";")
        assert isinstance(groups, list)
        jid = self._jid(body)
        row = {"jid": jid, "nick": body["nick"], "subscription": body["subs"], "groups": sorted(groups)}
        self._roster(body)[jid] = row
        return web.json_response(0)

    def _rows(self, account: str) -> list[dict[str, object]]:
        rows = list(self.rosters.get(account, {}).values())
        if self.versions:
            return [row | {"pending": "none"} for row in rows]
        shared = [({name: row[name] for name in ("jid", "nick", "subscription")}, row["groups"]) for row in rows]
        return [
            row | {"ask": "undefined", "group": group}
            for row, groups in shared
            if isinstance(groups, list)
            for group in groups
        ]

    def _roster(self, body: dict[str, object]) -> dict[str, dict[str, object]]:
        return self.rosters.setdefault(f"{body['localuser']}@{body['localhost']}", {})

    @staticmethod
    def _jid(body: dict[str, object]) -> str:
        return f"{body['user']}@{body['host']}" if body["user"] else str(body["host"])

    @staticmethod
    def _error(status: int, code: int, message: str) -> web.Response:
        return web.json_response({"status": "error", "code": code, "message": message}, status=status)


@asynccontextmanager
async def serving(api: FakeEjabberdApi) -> AsyncIterator[FakeEjabberdApi]:
    """Serve it on a free loopback port; `api.url` is then its URL."""
    app = web.Application()
    app.router.add_post("/api/{command:.+}", api.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        api.url = f"http://127.0.0.1:{port}/api"
        yield api
    finally:
        await runner.cleanup()
