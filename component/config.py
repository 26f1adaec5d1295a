"""The configuration: one TOML file and the environment, read once, validated, frozen."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from component import config_source
from component.config_source import ConfigError, nearest
from component.core.address import normalize
from component.core.duration import ALLOWED_DURATIONS, format_duration, parse_duration

__all__ = ["Config", "ConfigError", "load_config"]


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be {ALLOWED_DURATIONS}")
    return parse_duration(value)


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    zones = available_timezones()
    if not isinstance(value, str) or value not in zones:
        raise ValueError("must be an IANA time zone such as Europe/Moscow" + nearest(str(value), zones))
    return ZoneInfo(value)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _no_boolean(value: object) -> object:
    # Python's booleans are integers; a file that says `port = true` is mistaken.
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _comma_separated(value: object) -> object:
    """Accept "one, two" where a list is meant: an environment variable has no lists."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Domain = Annotated[str, BeforeValidator(_lower), StringConstraints(pattern=r"^[^\s@/.]+(\.[^\s@/.]+)*$")]
Jid = Annotated[str, StringConstraints(pattern=r"^([^\s@/]+@)?[^\s@/]+(/.+)?$"), AfterValidator(normalize)]
BareJid = Annotated[str, StringConstraints(pattern=r"^[^\s@/]+@[^\s@/]+$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Secret = Annotated[SecretStr, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class XmppConfig(_Section):
    """The server and this component's account on it (XEP-0114)."""

    domain: Domain = Field(description="the component's own domain, such as panel.example.test")
    secret: Secret = Field(description="the component's secret on the server, not empty")
    secret_file: Path | None = Field(default=None, description="a readable file that holds the secret")
    server: str = Field(default="127.0.0.1", min_length=1, description="the server's host name or address")
    port: Annotated[int, BeforeValidator(_no_boolean)] = Field(
        default=5347, ge=1, le=65535, description="the server's component port, 1 to 65535"
    )
    beat: Duration = Field(
        default=timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(seconds=5),
        description=f"{ALLOWED_DURATIONS}, 1s to 5s",
    )


class StoreConfig(_Section):
    """The database."""

    # Not in repr: the URL of a PostgreSQL carries a password.
    url: str = Field(
        default="sqlite+aiosqlite:///panel-presence.db",
        pattern=r"^\w+\+\w+://",
        repr=False,
        description="an SQLAlchemy URL with an asyncio driver, such as sqlite+aiosqlite:///panel-presence.db",
    )


class CompanyConfig(_Section):
    """What holds for every employee who has nothing of his own."""

    language: Literal["ru", "en"] = Field(default="ru", description="ru or en")
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(
        default=ZoneInfo("Europe/Moscow"), description="an IANA time zone such as Europe/Moscow"
    )
    visibility: Literal["everyone", "groups"] = Field(default="everyone", description="everyone or groups")


class StatusConfig(_Section):
    """The settings of the status rules."""

    was_here_after: Duration = Field(
        default=timedelta(minutes=15),
        ge=timedelta(seconds=1),
        description=f"{ALLOWED_DURATIONS}, at least 1s",
    )
    extended_away_after: Duration = Field(
        default=timedelta(hours=1),
        validate_default=True,
        description=f"{ALLOWED_DURATIONS}, at least status.was_here_after",
    )
    busy_show: Literal["dnd", "away"] = Field(default="dnd", description="dnd or away")
    after_was_here: Literal["restore", "online"] = Field(default="restore", description="restore or online")
    session_grace: Duration = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        description=f"{ALLOWED_DURATIONS}, at least 1s",
    )
    presets: Mapping[Text, Literal["online", "busy", "dnd"]] = Field(
        default={}, description="a table of texts (1 to 300 characters), each with online, busy or dnd"
    )

    @field_validator("extended_away_after")
    @classmethod
    def _not_before_was_here(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        earliest = info.data.get("was_here_after", value)
        if value < earliest:
            raise ValueError(f"must be at least status.was_here_after ({format_duration(earliest)})")
        return value


class EjabberdApiConfig(_Section):
    """ejabberd's HTTP API (mod_http_api)."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="an HTTP URL such as http://127.0.0.1:5280/api")
    user: BareJid = Field(description="a bare JID with access to the API, such as panelbot@example.test")
    password: Secret = Field(description="the password of that user, not empty")
    password_file: Path | None = Field(default=None, description="a readable file that holds the password")


class RostersConfig(_Section):
    """How the contacts come into the employees' rosters."""

    method: Literal["auto", "ejabberd-api", "privilege", "handshake"] = Field(
        default="auto", description="auto, ejabberd-api, privilege or handshake"
    )
    group: Text = Field(
        default="Телефония", description="the roster group for employees without groups, 1 to 300 characters"
    )
    ejabberd_api: EjabberdApiConfig | None = Field(default=None, description="a section with url, user, password_file")

    @model_validator(mode="after")
    def _api_is_described(self) -> Self:
        if self.method == "ejabberd-api" and self.ejabberd_api is None:
            raise ValueError(
                'method = "ejabberd-api" needs a section [rosters.ejabberd_api] with url, user and password_file'
            )
        return self


class PbxConfig(_Section):
    """Who reports the state of the phones."""

    jids: Annotated[tuple[Jid, ...], NoDecode, BeforeValidator(_comma_separated)] = Field(
        default=(), description='a list of JIDs such as ["pbx@example.test"]'
    )
    ttl: Duration = Field(default=timedelta(hours=24), description=ALLOWED_DURATIONS)


class ControlConfig(_Section):
    """The socket by which the command line reaches the running component."""

    socket: Path = Field(
        default=Path("/run/panel-presence/control.sock"),
        description="the path of a Unix socket, at most 107 bytes",
    )

    @field_validator("socket")
    @classmethod
    def _fits(cls, value: Path) -> Path:
        if len(os.fsencode(value)) > 107:  # sun_path of unix(7) has 108 bytes with the final zero
            raise ValueError("must be a shorter path, at most 107 bytes")
        return value


class StopConfig(_Section):
    """How the component ends."""

    timeout: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=5),
        description=f"{ALLOWED_DURATIONS}, 1s to 5m",
    )


class LogConfig(_Section):
    """The log."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        default="info", description="debug, info, warning or error"
    )


class Config(BaseSettings):
    """The whole configuration. `load_config` makes it; built directly, it reads no environment."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=config_source.PREFIX,
        env_nested_delimiter=config_source.DELIMITER,
    )

    xmpp: XmppConfig = Field(description="a section with domain and secret_file")
    store: StoreConfig = Field(default=StoreConfig(), description="a section")
    company: CompanyConfig = Field(default=CompanyConfig(), description="a section")
    status: StatusConfig = Field(default=StatusConfig(), description="a section")
    rosters: RostersConfig = Field(default=RostersConfig(), description="a section")
    pbx: PbxConfig = Field(default=PbxConfig(), description="a section")
    control: ControlConfig = Field(default=ControlConfig(), description="a section")
    stop: StopConfig = Field(default=StopConfig(), description="a section")
    log: LogConfig = Field(default=LogConfig(), description="a section")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the values that are passed and nothing else; `load_config` has merged the environment in."""
        return (init_settings,)


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and validate a configuration file; `environ` (default: the process's) wins over it.

    Variables are named PANEL_PRESENCE_SECTION__KEY. `xmpp.secret` and `rosters.ejabberd_api.password` are set
    in the answer, whether they came as such or in a file. Relative paths start at the file's directory.

    Raises ConfigError with one line per problem: where, the dotted key, its value (never a secret) and what
    is allowed.
    """
    source = config_source.read(path, os.environ if environ is None else environ, Config)
    try:
        config = Config(**source.values)
    except ValidationError as error:
        problems = (*source.problems, *config_source.describe(error, source, Config))
        raise ConfigError(problems) from None
    if source.problems:
        raise ConfigError(tuple(source.problems))
    return config
