"""Calls of ejabberd's HTTP API (mod_http_api): the connection, and each failure as a text that says what to do."""

import base64
import json
import re
from http import HTTPStatus

import aiohttp

from component.services.ports import RosterError

SECTION = "[rosters.ejabberd_api]"
_MISSING_COMMAND_NAME = 40
_EXCERPT = 200


class ApiRefusal(RosterError):
    """The API answered with an error: `status` is HTTP's, `code` ejabberd's own or None, `answer` its text."""

    def __init__(self, text: str, status: int, code: int | None, answer: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.answer = answer

    @property
    def unversioned(self) -> bool:
        """Whether the server is older than 24.02 and knows no `/v1` behind a command's name."""
        return self.status == HTTPStatus.BAD_REQUEST and self.code == _MISSING_COMMAND_NAME


class EjabberdHttp:
    """One HTTP connection pool to the API, with basic authentication (RFC 7617).

    url: where `mod_http_api` listens, such as http://127.0.0.1:5281/api. user: the bot's bare JID. timeout:
    seconds for a whole call. Raises RosterError for a URL that carries a user or a password.
    """

    def __init__(self, url: str, user: str, password: str, timeout: float) -> None:
        self._url = url.rstrip("/")
        if "@" in self._url.partition("//")[2].partition("/")[0]:
            raise RosterError(f"{SECTION} url must not carry a user or a password; they have keys of their own")
        self._user = user
        self._timeout = timeout
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; nothing is sent. A second call does nothing."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)

    async def close(self) -> None:
        """Close all connections. A second call does nothing; `open` works again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, command: str, **arguments: object) -> object:
        """Call a command and return its decoded answer; it must be one that may be made twice.

        `command` may end in an API version, such as `/v1`. Raises ApiRefusal for an error of the API, RosterError
        when there is no answer or none of an API.
        """
        status, body = await self._post(command, arguments)
        try:
            answer = json.loads(body)
        except ValueError:
            raise RosterError(self._not_json(status, body)) from None
        if status == HTTPStatus.OK:
            return answer
        code, message = _code_and_message(answer)
        name = command.partition("/")[0]
        raise ApiRefusal(self._refused(name, status, message), status, code, message)

    async def _post(self, command: str, arguments: dict[str, object]) -> tuple[int, str]:
        if self._session is None:
            raise RuntimeError("open() was not called")
        try:
            try:
                return await self._post_once(self._session, command, arguments)
            except aiohttp.ServerDisconnectedError:
                # ejabberd closed an idle connection just then, or restarted; aiohttp repeats no POST by itself.
                return await self._post_once(self._session, command, arguments)
        # The errors of aiohttp hold the request with its Authorization: they must not reach a traceback.
        except TimeoutError:
            text = f"ejabberd's API at {self._url} did not answer {command} within {self._timeout:g} s"
            raise RosterError(f"{text}; is the server overloaded or hung?") from None
        except aiohttp.ClientSSLError as error:
            raise RosterError(
                f"no TLS with ejabberd's API at {self._url}: {error}; it needs a certificate that this machine "
                f"trusts, or, when its listener has no `tls: true`, {SECTION} url must begin with http://"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise RosterError(
                f"ejabberd's API cannot be reached at {self._url}: {error.strerror or error}; does ejabberd run, "
                "and has it the ejabberd_http listener of ejabberd-config/panel-presence.yml at this address, "
                f"{SECTION} url? An https:// URL needs `tls: true` there"
            ) from None
        except aiohttp.InvalidURL:
            raise RosterError(f"{SECTION} url, {self._url}, is no URL of an HTTP API") from None
        except (aiohttp.ClientError, OSError) as error:
            raise RosterError(
                f"what listens at {self._url} does not speak HTTP ({type(error).__name__}); compare {SECTION} url "
                "with the ejabberd_http listener: the port, and https:// when that has `tls: true`"
            ) from None

    async def _post_once(
        self, session: aiohttp.ClientSession, command: str, arguments: dict[str, object]
    ) -> tuple[int, str]:
        url = f"{self._url}/{command}"
        async with session.post(url, json=arguments, allow_redirects=False) as response:
            return response.status, (await response.read()).decode("utf-8", errors="replace")

    def _not_json(self, status: int, body: str) -> str:
        if status == HTTPStatus.NOT_FOUND:
            return (
                f"there is no ejabberd API at {self._url} (HTTP 404); the listener needs `request_handlers: "
                f"/api: mod_http_api`, and {SECTION} url must end in that path"
            )
        return (
            f"what answers at {self._url} is no ejabberd API (HTTP {status}, {_cut(body)!r}); "
            f"compare {SECTION} url with the ejabberd_http listener"
        )

    def _refused(self, command: str, status: int, message: str) -> str:
        said = f"HTTP {status}: {message}"
        if status == HTTPStatus.UNAUTHORIZED:
            name, _, domain = self._user.partition("@")
            return (
                f"ejabberd does not accept {self._user} with its password ({said}); check user and password_file "
                f"of {SECTION}, and whether the account exists: ejabberdctl check_account {name} {domain}"
            )
        if status == HTTPStatus.FORBIDDEN:
            return (
                f"ejabberd does not allow {self._user} the command {command} ({said}); add `- {command}` under "
                "`what` of api_permissions (ejabberd-config/panel-presence.yml has all) and reload ejabberd"
            )
        if status == HTTPStatus.NOT_FOUND or message == "unknown_command":
            return (
                f"ejabberd does not know the command {command} ({said}); load mod_admin_extra: "
                "`modules: mod_admin_extra: {}`"
            )
        return f"ejabberd refused {command} ({said}); its log says more"


def _code_and_message(answer: object) -> tuple[int | None, str]:
    """Take apart an error of the API: an object with code and message, or a bare string."""
    if isinstance(answer, dict):
        code = answer.get("code")
        return code if isinstance(code, int) else None, _cut(str(answer.get("message", answer)))
    return None, _cut(str(answer))


def _cut(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…"
