"""Where the configuration comes from, and how its problems are told: TOML, environment, secret files."""

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from component.core.duration import format_duration

PREFIX = "PANEL_PRESENCE_"
DELIMITER = "__"

_CONFIG_VARIABLE = "PANEL_PRESENCE_CONFIG"  # the command line's own: the path of the file
_SECRETS = (("xmpp", "secret"), ("rosters.ejabberd_api", "password"))
_PATHS = ("xmpp.secret_file", "rosters.ejabberd_api.password_file", "control.socket")
_PRIVATE = {"secret", "password", "url"}  # a URL may carry a password


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Source:
    """The merged, not yet validated values, and what was found wrong on the way."""

    path: Path
    values: dict[str, Any]
    environment: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def where(self, key: str) -> str:
        """Name the file or the variable that a dotted key came from."""
        if _lookup(self.environment, key) is None:
            return str(self.path)
        return f"environment {variable(key)}"

    def tell(self, key: str, problem: str) -> None:
        """Add a problem of one key."""
        self.problems.append(f"{self.where(key)}: {key}{problem}")


def variable(key: str) -> str:
    """Return the name of the environment variable of a dotted key."""
    return PREFIX + key.upper().replace(".", DELIMITER)


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a suggestion to add to a message, or nothing when no word is near."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def read(path: Path, environ: Mapping[str, str], settings: type[BaseSettings]) -> Source:
    """Read the file, the environment over it, and the files of the secrets.

    Raises ConfigError if the file cannot be read at all; other problems are collected in the answer.
    """
    values = _read_toml(path)
    problems = _unknown_variables(environ, settings)
    source = EnvSettingsSource(settings)
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    try:
        environment = source()
    except SettingsError as error:
        problems.append(f"environment: {error}: a table or a section must be written as JSON")
        environment = {}
    _drop_replaced_secrets(values, environment)
    merged = Source(path, _merge(values, environment), environment, problems)
    merged.values.setdefault("xmpp", {})
    for key in _PATHS:
        section, name = _section(merged.values, key)
        if section is not None and isinstance(section.get(name), str):
            section[name] = str(path.parent / section[name])
    for prefix, name in _SECRETS:
        _read_secret(merged, f"{prefix}.{name}")
    return merged


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}; name the file with -c FILE or {_CONFIG_VARIABLE}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 (byte {error.start + 1})"
    except tomllib.TOMLDecodeError as error:
        problem = f"is not TOML: {error}"
    raise ConfigError((f"{path}: {problem}",))


def _unknown_variables(environ: Mapping[str, str], settings: type[BaseSettings]) -> list[str]:
    # pydantic-settings passes over a variable whose section it does not know.
    known = {variable(key) for key in known_keys(settings)}
    sections = {variable(section) for section in settings.model_fields}
    return [
        f"environment: {name} is not a known variable{nearest(name, known)}"
        for name in environ
        if name.startswith(PREFIX) and name != _CONFIG_VARIABLE and _variable_section(name) not in sections
    ]


def _variable_section(name: str) -> str:
    return PREFIX + name.removeprefix(PREFIX).partition(DELIMITER)[0]


def _drop_replaced_secrets(values: dict[str, Any], environment: dict[str, Any]) -> None:
    for prefix, name in _SECRETS:
        key = f"{prefix}.{name}"
        if _lookup(environment, key) is None and _lookup(environment, f"{key}_file") is None:
            continue
        section, _ = _section(values, key)
        for replaced in (name, f"{name}_file"):
            (section or {}).pop(replaced, None)


def _read_secret(source: Source, key: str) -> None:
    section, name = _section(source.values, key)
    if section is None:
        return
    file = section.get(f"{name}_file")
    if name in section:
        if file is not None:
            source.tell(key, f" and {key}_file are both given: keep one of them")
        return
    if file is None:
        source.tell(key, f" is missing: give {key}_file, {key} or {variable(key)}")
    elif isinstance(file, str):
        try:
            section[name] = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            source.tell(f"{key}_file", f" = {_shown(file)}: must be a readable file ({reason})")
        else:
            if not section[name]:
                source.tell(f"{key}_file", f" = {_shown(file)}: the file is empty; it must hold the {name}")
    # The problem is told: a stand-in keeps the validation of everything else from telling it again.
    section[name] = section.get(name) or "missing"


def describe(error: ValidationError, source: Source, settings: type[BaseSettings]) -> list[str]:
    """Turn pydantic's errors into lines: where, the dotted key, its value unless private, what is allowed."""
    known = known_keys(settings)
    return [_line(dict(details), source, known) for details in error.errors(include_url=False)]


def _line(details: dict[str, Any], source: Source, known: Mapping[str, FieldInfo]) -> str:
    key = ".".join(str(part) for part in details["loc"] if part != "[key]")
    parent, _, name = key.rpartition(".")
    if details["type"] == "extra_forbidden":
        return f"{source.where(key)}: {key} is not a known key{_known_nearest(parent, name, known)}"
    field_key = key
    while field_key not in known:  # an item of a list or a table: the field that holds it is known
        field_key = field_key.rpartition(".")[0]
    where = source.where(field_key)
    allowed = f"must be {known[field_key].description}"
    if details["type"] == "missing":
        return f"{where}: {key} is missing: it {allowed}"
    if details["type"] == "value_error":
        allowed = str(details["ctx"]["error"])
    if name in _PRIVATE or isinstance(details["input"], dict | BaseModel):
        return f"{where}: {key}: {allowed}"
    return f"{where}: {key} = {_shown(details['input'])}: {allowed}"


def _known_nearest(parent: str, name: str, known: Mapping[str, FieldInfo]) -> str:
    siblings = [key.rpartition(".")[2] for key in known if key.rpartition(".")[0] == parent]
    elsewhere = [key for key in known if key.rpartition(".")[2] == name]
    if elsewhere:
        return f'; did you mean "{elsewhere[0]}"?'
    return nearest(name, siblings) or f"; known here: {', '.join(siblings)}"


def known_keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Return every key and section of a model by its dotted name."""
    found: dict[str, FieldInfo] = {}
    for name, info in model.model_fields.items():
        found[prefix + name] = info
        for kind in get_args(info.annotation) or (info.annotation,):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= known_keys(kind, f"{prefix}{name}.")
    return found


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _lookup(values: Mapping[str, Any], key: str) -> Any:
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _section(values: dict[str, Any], key: str) -> tuple[dict[str, Any] | None, str]:
    prefix, _, name = key.rpartition(".")
    section = _lookup(values, prefix)
    return (section if isinstance(section, dict) else None), name


def _shown(value: object) -> str:
    plain = format_duration(value) if isinstance(value, timedelta) else value
    text = json.dumps(plain, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
