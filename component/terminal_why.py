"""What `panel-presence why` prints: the answer in one sentence, then the chain that leads to it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from rich.table import Table
from rich.text import Text

from component import terminal
from component.services.why import (
    ChoiceFact,
    Facts,
    ReportFact,
    SessionFact,
    Shown,
    ToldFact,
    ViewerFact,
    Watchers,
    Why,
)

Line = tuple[str, str]


def print_why(why: Why, zone: tzinfo) -> None:
    """Print all of it, with times in `zone`."""
    console = terminal.output()
    console.print(why.answer, style="bold", soft_wrap=True)
    for title, lines in _sections(why, _Times(zone)):
        console.print()
        console.print(title, style="cyan")
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        for name, value in lines:
            table.add_row(Text(f"  {name}", "bold"), value)
        console.print(table)


class _Times:
    """Writes instants in one zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __call__(self, moment: datetime | None) -> str:
        return "—" if moment is None else moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")


def _sections(why: Why, time: _Times) -> Iterator[tuple[str, Iterable[Line]]]:
    yield f"facts of {why.name} ({why.id})", _facts(why.facts, time)
    decision = why.decision
    since = f", since {time(decision.since)}" if decision.since else ""
    rule: list[Line] = [("because", decision.because + since)]
    rule += decision.rules.items()
    if decision.hidden:
        rule.append(("covered", f"{decision.hidden}, which was chosen, is covered for now"))
    yield f"rule {decision.rule}", rule
    until = f", until {time(decision.until)}" if decision.until else ""
    yield (
        f"presence of {why.contact}",
        [("status", f"{decision.status}{until}; phone {decision.phone}"), *_presence(why.presence, time)],
    )
    yield "told", _told(why.told, why.watchers, time)
    if why.viewer:
        yield f"for {why.viewer.name} ({why.viewer.id})", _viewer(why.viewer, why.told, time)


def _facts(facts: Facts, time: _Times) -> Iterator[Line]:
    yield "launched", time(facts.launched_at) if facts.launched_at else "never"
    now = "active now" if facts.was_activity else "none so far"
    yield "activity", f"last at {time(facts.last_activity)}" if facts.last_activity else now
    yield "phone mode", facts.mode
    for session in facts.sessions:
        yield _session(session, time)
    if not facts.sessions:
        yield "sessions", "none is connected"
    yield "PBX", _report(facts.report, time)
    yield "choice", _choice(facts.choice, time)


def _session(session: SessionFact, time: _Times) -> Line:
    idle = f"idle since {time(session.idle_since)}" if session.idle_since else "active"
    if session.panel:
        return "panel", f"{session.jid}: {session.mode}, phone {session.phone}, {idle}"
    return "client", f"{session.jid}: {idle}"


def _report(report: ReportFact | None, time: _Times) -> str:
    if report is None:
        return "no PBX has reported the phone"
    end = f"until {time(report.expires)}" if report.expires else "while the PBX is connected"
    return f"phone {report.phone}, by {report.pbx} at {time(report.at)}, " + (end if report.in_force else "expired")


def _choice(choice: ChoiceFact | None, time: _Times) -> str:
    if choice is None:
        return "no status was chosen"
    text = f" «{choice.text}»" if choice.text else ""
    end = f", until {time(choice.until)}" if choice.until else ""
    return f"{choice.status}{text}, at {time(choice.at)}{end}" + ("" if choice.in_force else ": it is over")


def _presence(shown: Shown, time: _Times) -> Iterator[Line]:
    yield "type", shown.type
    if shown.type == "available":
        yield "show", shown.show or "none"
    for language, text in shown.texts.items():
        yield f"text ({language})", text
    if shown.idle_since:
        yield "idle since", time(shown.idle_since)


def _told(told: ToldFact, watchers: Watchers, time: _Times) -> Iterator[Line]:
    yield "state", told.state
    if told.at:
        yield "last told", time(told.at)
    if told.presence and not told.up_to_date:
        yield "they hold", "; ".join(value for _, value in _presence(told.presence, time))
    yield "may see", f"{watchers.may_see} employees, of whom {watchers.subscribed} are subscribed"
    yield "online", f"{watchers.online} of them with {watchers.sessions} sessions"


def _viewer(viewer: ViewerFact, told: ToldFact, time: _Times) -> Iterator[Line]:
    yield "may see", f"{'yes' if viewer.may_see else 'no'}: {viewer.visibility}"
    yield "subscribed", f"{'yes' if viewer.subscribed else 'no'}: {viewer.subscription}"
    if viewer.known_sessions:
        yield "sessions", ", ".join(viewer.sessions) or "none is online"
    else:
        yield "sessions", f"not known: the server does not tell them; presence goes to {', '.join(viewer.sessions)}"
    if viewer.subscribed and viewer.sessions and told.at:
        yield "told", f"at {time(told.at)}; a session that came online later, at its login"
    item = viewer.item
    words = [f"'{item.name}'"] if item.name else []
    words += [f"in {', '.join(item.groups)}"] if item.groups else []
    words += [f"subscription {item.subscription}"] if item.found else []
    words += [item.note] if item.note else []
    yield "roster item", ", ".join(words)
    if viewer.domain_item is not None:
        told_by = viewer.domain_item in ("from", "both")
        means = "the server tells the component his sessions by it" if told_by else "it has drifted"
        yield "our own item", f"subscription {viewer.domain_item}: {means}"
