"""Every text that people read over XMPP, in Russian and English side by side."""

from typing import Literal

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")

LONGEST_VALUE = 400
"""Characters of a value in a text; the longest of our own is a status with its custom text."""

_TEXTS: dict[str, tuple[str, str]] = {
    "busy": ("Занят", "Busy"),
    "dnd": ("Не беспокоить", "Do not disturb"),
    "was-here": ("Был(а) на месте {day} в {time}", "Was here on {day} at {time}"),
    "offline": ("Телефон отключён, чат работает", "Phone is off, chat works"),
    "online": ("Онлайн", "Online"),
    "was-here-word": ("Был(а) на месте", "Was here"),
    "offline-word": ("Офлайн", "Offline"),
    "withdrawn": ("Статусы временно недоступны", "Statuses are not available for now"),
    "removed": ("Больше нет в списке сотрудников", "No longer in the directory"),
    "gateway": ("Статусы телефонии", "Telephony statuses"),
    # refusals (the conditions stand where they are raised)
    "unknown-status": (
        "Неизвестный статус «{value}»; возможны: online, busy, dnd, offline",
        "unknown status '{value}'; possible: online, busy, dnd, offline",
    ),
    "no-status": (
        "Не указан статус (атрибут value); возможны: online, busy, dnd, offline",
        "the attribute 'value' is missing; possible: online, busy, dnd, offline",
    ),
    "bad-date": (
        "Неверная дата «{value}»; нужна дата с часовым поясом, например 2026-11-24T12:00:00Z",
        "bad date '{value}'; expected a date with its time zone, like 2026-11-24T12:00:00Z",
    ),
    "bad-until": (
        "Срок «{value}» уже прошёл или дальше {days} дней",
        "the time '{value}' is past, or more than {days} days ahead",
    ),
    "unknown-child": ("Неизвестный элемент «{name}»", "unknown element '{name}'"),
    "unknown-attribute": ("Неизвестный атрибут «{name}»", "unknown attribute '{name}'"),
    "bad-mode": (
        "Неизвестный режим «{value}»; возможны: softphone, deskphone",
        "unknown mode '{value}'; possible: softphone, deskphone",
    ),
    "bad-phone": (
        "Неизвестное состояние телефона «{value}»; возможны: online, offline",
        "unknown phone state '{value}'; possible: online, offline",
    ),
    "bad-page": ("Неверный номер страницы «{value}»", "bad page '{value}'"),
    "unknown-page": ("Нет сотрудника «{value}», с которого начать", "no employee '{value}' to start after"),
    "offline-needs-softphone": (
        "Статус «Офлайн» можно выбрать только в режиме софтфона",
        "'offline' can be chosen only in softphone mode",
    ),
    "text-too-long": (
        "Текст статуса слишком длинный: {length} символов, можно {limit}",
        "the status text is too long: {length} characters, {limit} are allowed",
    ),
    "text-control": (
        "В тексте статуса недопустимый управляющий символ {code}",
        "the status text has the control character {code}, which is not allowed",
    ),
    "not-employee": ("Вас нет в списке сотрудников", "you are not in the directory"),
    "not-pbx": (
        "Сообщать о телефонах могут только АТС из настройки pbx.jids",
        "only the PBX JIDs in the setting pbx.jids may report phones",
    ),
    "unknown-employee": ("Нет сотрудника «{value}»", "no employee '{value}'"),
    "not-stored": (
        "Статус показан, но пока не сохранён: хранилище недоступно",
        "the status is shown but not yet stored: the store is not available",
    ),
    "not-running": (
        "Шлюз статусов сейчас не работает, сообщение не доставлено",
        "the gateway does not run at present, the message was not delivered",
    ),
    "no-such-contact": ("Такого контакта нет", "no such contact"),
    "not-here": ("Здесь такого нет", "there is nothing like this here"),
    "one-payload": ("В запросе должен быть ровно один элемент", "a request has exactly one element"),
    "message-impossible": (
        "Сообщение слишком большое или слишком глубоко вложено",
        "the message is too large or nested too deeply",
    ),
    "answer-impossible": ("Ответ был бы слишком большим", "the answer would be too large"),
    "no-groupchat": ("Групповой чат не поддерживается", "group chat is not supported"),
    "internal": ("Внутренняя ошибка", "internal error"),
    # ad-hoc commands
    "set-status": ("Установить статус", "Set status"),
    "show-status": ("Мой статус", "My status"),
    "form-instructions": (
        "Выберите статус; текст увидят коллеги рядом с ним.",
        "Pick a status; colleagues see the text beside it.",
    ),
    "field-status": ("Статус", "Status"),
    "field-text": ("Текст", "Text"),
    "field-phone": ("Телефон", "Phone"),
    "field-since": ("С какого времени", "Since"),
    "field-until": ("До какого времени", "Until"),
    "phone-online": ("подключён", "online"),
    "phone-offline": ("отключён", "offline"),
    "phone-unknown": ("нет данных", "unknown"),
    "status-now": ("Ваш статус: {status}", "Your status: {status}"),
    "block": ("Заблокировать коллегу", "Block a colleague"),
    "unblock": ("Разблокировать коллегу", "Unblock a colleague"),
    "block-instructions": (
        "Вы и выбранный коллега перестанете видеть друг друга; ему об этом не сообщат.",
        "You and the colleague no longer see each other; nobody tells the colleague.",
    ),
    "unblock-instructions": (
        "Вы и выбранный коллега снова увидите друг друга.",
        "You and the colleague see each other again.",
    ),
    "field-colleague": ("Коллега", "Colleague"),
    "field-colleague-address": (
        "Адрес коллеги, например ivanov@{domain}",
        "The colleague's address, like ivanov@{domain}",
    ),
    "blocked": ("Заблокировано: {name}", "Blocked: {name}"),
    "unblocked": ("Разблокировано: {name}", "Unblocked: {name}"),
    "nobody-to-block": ("Вы никого не видите, блокировать некого", "You see nobody whom you could block"),
    "nobody-blocked": ("Вы никого не блокируете", "You block nobody"),
    "block-self": ("Заблокировать самого себя нельзя", "nobody can block himself"),
    "not-blocked": ("«{value}» не заблокирован", "'{value}' is not blocked"),
    "just-blocked": (
        "Блокировка только что поставлена; повторите через несколько секунд",
        "this block has only just begun; try again in a few seconds",
    ),
    "block-not-stored": (
        "Изменение действует, но пока не сохранено: хранилище недоступно",
        "the change holds but is not yet stored: the store is not available",
    ),
    "no-such-command": ("Нет команды «{value}»", "no command '{value}'"),
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def say(key: str, language: Language, **values: object) -> str:
    """Return the text `key` in a language, with its placeholders filled in; a long value is cut short."""
    shown = {name: _short(value) for name, value in values.items()}
    return _TEXTS[key][LANGUAGES.index(language)].format(**shown)


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return value[: LONGEST_VALUE - 1] + "…"
    return value


def language_of(tag: str | None, fallback: Language) -> Language:
    """Return the language of an xml:lang tag like `ru-RU`, or the fallback for any other one."""
    word = (tag or "").partition("-")[0].lower()
    return next((language for language in LANGUAGES if language == word), fallback)


def day_of(day: int, month: int, language: Language) -> str:
    """Return a date without its year as people write it: `24.11`, `24 Nov`."""
    return f"{day:02}.{month:02}" if language == "ru" else f"{day} {_MONTHS[month - 1]}"
