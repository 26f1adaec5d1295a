"""The configuration: defaults, the environment, and errors that name the key, the value and what is allowed."""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from component.config import Config, ConfigError, load_config
from component.config_source import known_keys

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"
MINIMAL = '[xmpp]\ndomain = "panel.example.test"\nsecret = "hunter2"\n'

Load = Callable[..., Config]
Problems = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a configuration from its text."""

    def from_text(text: str, environ: Mapping[str, str] | None = None) -> Config:
        path = tmp_path / "panel.toml"
        path.write_text(text, "utf-8")
        return load_config(path, environ or {})

    return from_text


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Problems:
    """Load a wrong configuration and return its problems, without the directory of the file."""

    def of_text(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, environ)
        assert "hunter2" not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return of_text


def test_the_defaults(load: Load) -> None:
    config = load(MINIMAL)
    assert (config.xmpp.server, config.xmpp.port) == ("127.0.0.1", 5347)
    assert config.store.url == "sqlite+aiosqlite:///panel-presence.db"
    assert (config.company.language, config.company.visibility) == ("ru", "everyone")
    assert config.company.timezone == ZoneInfo("Europe/Moscow")
    assert config.status.was_here_after == timedelta(minutes=15)
    assert config.status.extended_away_after == timedelta(hours=1)
    assert (config.status.busy_show, config.status.after_was_here) == ("dnd", "restore")
    assert config.status.session_grace == timedelta(seconds=30)
    assert config.xmpp.beat == timedelta(seconds=5)
    assert config.status.presets == {}
    assert (config.rosters.method, config.rosters.group) == ("auto", "Телефония")
    assert config.rosters.ejabberd_api is None
    assert (config.pbx.jids, config.pbx.ttl) == ((), timedelta(hours=24))
    assert config.control.socket == Path("/run/panel-presence/control.sock")
    assert config.stop.timeout == timedelta(seconds=10)
    assert config.log.level == "info"


def test_it_is_frozen(load: Load) -> None:
    config = load(MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        config.xmpp.port = 1


def test_secrets_show_nowhere(load: Load) -> None:
    config = load(MINIMAL + '[store]\nurl = "postgresql+asyncpg://panel:hunter2@db/panel"\n')
    assert "hunter2" not in f"{config!r} {config}"
    assert config.xmpp.secret.get_secret_value() == "hunter2"


def test_the_documented_file_is_valid_and_shows_the_defaults(tmp_path: Path) -> None:
    text = re.search(r"```toml\n(.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    assert text is not None
    values = tomllib.loads(text[1])
    shown = {key for section, keys in values.items() for key in (f"{section}.{name}" for name in keys)}
    sections = set(Config.model_fields)
    assert shown == {
        key for key in known_keys(Config) if key.count(".") == 1 and key not in sections and key != "xmpp.secret"
    }
    (tmp_path / "secret").write_text("hunter2\n")
    path = tmp_path / "panel.toml"
    path.write_text(re.sub(r'"/etc/panel-presence/\S+"', '"secret"', text[1]), "utf-8")
    config = load_config(path, {})
    assert config.xmpp.secret.get_secret_value() == "hunter2"
    assert config.rosters.ejabberd_api is not None
    assert config.rosters.ejabberd_api.password.get_secret_value() == "hunter2"
    defaults = Config(xmpp=config.xmpp)
    assert config.status.model_copy(update={"presets": {}}) == defaults.status
    assert config.rosters.model_copy(update={"ejabberd_api": None}) == defaults.rosters
    for section in ("store", "company", "pbx", "control", "stop", "log"):
        assert getattr(config, section) == getattr(defaults, section)


def test_the_documented_table_has_every_key() -> None:
    documented = set(re.findall(r"^\| `([\w.]+)` \|", DOCUMENTATION.read_text("utf-8"), re.MULTILINE))
    assert documented == {key for key in known_keys(Config) if "." in key}


def test_the_environment_wins(load: Load) -> None:
    config = load(
        MINIMAL.replace('secret = "hunter2"', 'secret_file = "nowhere"'),
        {
            "PANEL_PRESENCE_CONFIG": "panel.toml",
            "PANEL_PRESENCE_XMPP__SECRET": "other",
            "PANEL_PRESENCE_XMPP__PORT": "5348",
            "PANEL_PRESENCE_STATUS__WAS_HERE_AFTER": "5m",
            "PANEL_PRESENCE_STATUS__PRESETS": '{"На обеде": "busy"}',
            "PANEL_PRESENCE_PBX__JIDS": "pbx@example.test, pbx2@example.test",
            "PANEL_PRESENCE_ROSTERS__EJABBERD_API__URL": "http://127.0.0.1:5280/api",
            "PANEL_PRESENCE_ROSTERS__EJABBERD_API__USER": "panelbot@example.test",
            "PANEL_PRESENCE_ROSTERS__EJABBERD_API__PASSWORD": "third",
        },
    )
    assert (config.xmpp.secret.get_secret_value(), config.xmpp.port) == ("other", 5348)
    assert config.status.was_here_after == timedelta(minutes=5)
    assert config.status.presets == {"На обеде": "busy"}
    assert config.pbx.jids == ("pbx@example.test", "pbx2@example.test")
    assert config.rosters.ejabberd_api is not None
    assert config.rosters.ejabberd_api.password.get_secret_value() == "third"


def test_paths_start_at_the_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" of-the-file\n")
    text = MINIMAL.replace('secret = "hunter2"', 'secret_file = "secret"')
    config = load(text + '[control]\nsocket = "control.sock"\n')
    assert config.xmpp.secret.get_secret_value() == "of-the-file"
    assert config.control.socket == tmp_path / "control.sock"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port = 70000", "xmpp.port = 70000: must be the server's component port, 1 to 65535"),
        ('port = "amqp"', 'xmpp.port = "amqp": must be the server\'s component port, 1 to 65535'),
        ("port = true", "xmpp.port = true: must be a number"),
        ("server = 5", "xmpp.server = 5: must be the server's host name or address"),
        ("prot = 1", 'xmpp.prot is not a known key; did you mean "port"?'),
        ('timezone = "UTC"', 'xmpp.timezone is not a known key; did you mean "company.timezone"?'),
        ("[stor]", 'stor is not a known key; did you mean "store"?'),
        (
            "[qqq]",
            "qqq is not a known key; known here: xmpp, store, company, status, rosters, pbx, control, stop, log",
        ),
        ('[company]\nlanguage = "de"', 'company.language = "de": must be ru or en'),
        (
            '[company]\ntimezone = "Europe/Moskow"',
            'company.timezone = "Europe/Moskow": must be an IANA time zone such as Europe/Moscow; '
            'did you mean "Europe/Moscow"?',
        ),
        (
            "[status]\nwas_here_after = 15",
            'status.was_here_after = 15: must be a positive duration such as "90s", "15m", "1h", "2d" or "1h30m"',
        ),
        (
            '[status]\nwas_here_after = "2h"',
            'status.extended_away_after = "1h": must be at least status.was_here_after (2h)',
        ),
        (
            '[status.presets]\n"На обеде" = "offline"',
            'status.presets.На обеде = "offline": must be a table of texts (1 to 300 characters), '
            "each with online, busy or dnd",
        ),
        (
            '[rosters]\nmethod = "ejabberd-api"',
            'rosters: method = "ejabberd-api" needs a section [rosters.ejabberd_api] with url, user and password_file',
        ),
        (
            '[rosters.ejabberd_api]\nuser = "panelbot@example.test"\npassword = "hunter2"',
            "rosters.ejabberd_api.url is missing: it must be an HTTP URL such as http://127.0.0.1:5280/api",
        ),
        (
            '[rosters.ejabberd_api]\nurl = "http://127.0.0.1/api"\nuser = "panelbot@example.test"',
            "rosters.ejabberd_api.password is missing: give rosters.ejabberd_api.password_file, "
            "rosters.ejabberd_api.password or PANEL_PRESENCE_ROSTERS__EJABBERD_API__PASSWORD",
        ),
        (
            '[store]\nurl = "postgresql://panel:hunter2@db/panel"',
            "store.url: must be an SQLAlchemy URL with an asyncio driver, "
            "such as sqlite+aiosqlite:///panel-presence.db",
        ),
        ('[pbx]\njids = ["a b"]', 'pbx.jids.0 = "a b": must be a list of JIDs such as ["pbx@example.test"]'),
        (
            '[stop]\ntimeout = "1h"',
            'stop.timeout = "1h": must be a positive duration such as "90s", "15m", "1h", "2d" or "1h30m", 1s to 5m',
        ),
        ('[log]\nlevel = "loud"', 'log.level = "loud": must be debug, info, warning or error'),
        ("store = 5", 'xmpp.store is not a known key; did you mean "store"?'),
        ('secrt = "hunter2"', 'xmpp.secrt is not a known key; did you mean "secret"?'),
        ('secret_file = "secret"', "xmpp.secret and xmpp.secret_file are both given: keep one of them"),
    ],
)
def test_one_problem(problems: Problems, text: str, problem: str) -> None:
    assert problems(MINIMAL + text) == [f"panel.toml: {problem}"]


def test_a_long_socket_path(problems: Problems) -> None:
    (problem,) = problems(f'{MINIMAL}[control]\nsocket = "{"s" * 108}"')
    assert problem.endswith("must be a shorter path, at most 107 bytes")


def test_all_problems_at_once(problems: Problems) -> None:
    assert [line.split(":")[1].split(" =")[0] for line in problems('[xmpp]\nport = "x"\n[pbx]\nttl = "x"')] == [
        " xmpp.secret is missing",
        " xmpp.domain is missing",
        " xmpp.port",
        " pbx.ttl",
    ]


@pytest.mark.parametrize("text", ["", "xmpp = 5"])
def test_no_section_for_the_server(problems: Problems, text: str) -> None:
    assert any("xmpp" in problem for problem in problems(text))


def test_secret_files(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = '[xmpp]\ndomain = "panel.example.test"\nsecret_file = '
    assert problems(text + '"nowhere"') == [
        'panel.toml: xmpp.secret_file = "nowhere": must be a readable file (No such file or directory)'
    ]
    assert problems(text + '"empty"') == [
        'panel.toml: xmpp.secret_file = "empty": the file is empty; it must hold the secret'
    ]
    assert problems(text + '"binary"') == [
        'panel.toml: xmpp.secret_file = "binary": must be a readable file (not UTF-8)'
    ]
    assert problems(text + "5") == ["panel.toml: xmpp.secret_file = 5: must be a readable file that holds the secret"]


def test_problems_of_the_environment(problems: Problems) -> None:
    environ = {
        "PANEL_PRESENCE_XMP__SECRET": "hunter2",
        "PANEL_PRESENCE_XMPP__PORT": "amqp",
        "PANEL_PRESENCE_STORE__URI": "x",
        "PANEL_PRESENCE_PBX__JIDS": "a b",
    }
    assert problems(MINIMAL, environ) == [
        'environment: PANEL_PRESENCE_XMP__SECRET is not a known variable; did you mean "PANEL_PRESENCE_XMPP__SECRET"?',
        'environment PANEL_PRESENCE_XMPP__PORT: xmpp.port = "amqp": must be the server\'s component port, 1 to 65535',
        'environment PANEL_PRESENCE_STORE__URI: store.uri is not a known key; did you mean "url"?',
        'environment PANEL_PRESENCE_PBX__JIDS: pbx.jids.0 = "a b": must be a list of JIDs such as ["pbx@example.test"]',
    ]
    (problem,) = problems(MINIMAL, {"PANEL_PRESENCE_STATUS__PRESETS": '{"x'})
    assert "must be written as JSON" in problem


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    with pytest.raises(ConfigError, match=r"panel\.toml: cannot be read: No such file.*-c FILE"):
        load_config(path, {})
    path.write_text("[xmpp]\ndomain panel")
    with pytest.raises(ConfigError, match=r"panel\.toml: is not TOML: .*line 2"):
        load_config(path, {})
    path.write_bytes(b"[xmpp]\n# \xff")
    with pytest.raises(ConfigError, match=r"panel\.toml: is not UTF-8 \(byte 10\)"):
        load_config(path, {})


def test_the_environment_of_the_process_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(MINIMAL)
    assert load_config(path).xmpp.domain == "panel.example.test"
