"""Facts to rows and back; pure. A row is a mapping from column names to values, as SQLAlchemy takes it."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, get_args

from sqlalchemy import Row

from component.core.directory import Employee
from component.core.facts import Choice, Mode, Panel, Phone, Report, Session, State, Status
from component.core.roster import Roster
from component.services.ports import SubscriptionException

Values = dict[str, Any]


def employee_row(employee: Employee) -> Values:
    """Return an employee's row of `employees`."""
    return {
        "id": employee.id,
        "localpart": employee.localpart,
        "account": employee.account,
        "name": employee.name,
        "extension": employee.extension,
        "groups": list(employee.groups),
        "mode": employee.mode,
        "language": employee.language,
        "timezone": employee.timezone,
    }


def employee_of(row: Row[Any]) -> Employee:
    """Return the employee of a row; raises ValueError for a mode that does not exist."""
    return Employee(
        id=row.id,
        localpart=row.localpart,
        account=row.account,
        name=row.name,
        extension=row.extension,
        groups=tuple(row.groups),
        mode=row.mode and Mode(row.mode),
        language=row.language,
        timezone=row.timezone,
    )


def state_row(employee: str, state: State) -> Values:
    """Return a state's row of `states`; its sessions are rows of their own."""
    choice, report = state.choice, state.report
    return {
        "employee": employee,
        "choice_status": choice and choice.status,
        "choice_at": choice and choice.at,
        "choice_text": choice and choice.text,
        "choice_until": choice and choice.until,
        "launched_at": state.launched_at,
        "last_activity": state.last_activity,
        "panel_mode": state.panel_mode,
        "panel_ended_at": state.panel_ended_at,
        "report_phone": report and report.phone,
        "report_at": report and report.at,
        "report_pbx": report and report.pbx,
        "report_expires": report and report.expires,
    }


def session_rows(employee: str, state: State) -> list[Values]:
    """Return the rows of `sessions` of a state; `position` keeps their order, oldest first."""
    return [
        {
            "employee": employee,
            "jid": jid,
            "position": position,
            "idle_since": session.idle_since,
            "tracks_idle": session.tracks_idle,
            "panel_mode": session.panel and session.panel.mode,
            "panel_phone": session.panel and session.panel.phone,
            "panel_since": session.panel and session.panel.since,
        }
        for position, (jid, session) in enumerate(state.sessions.items())
    ]


def session_of(row: Row[Any]) -> Session:
    """Return the session of a row; raises ValueError for a mode or phone that does not exist."""
    panel = None
    if row.panel_mode is not None:
        panel = Panel(Mode(row.panel_mode), row.panel_phone and Phone(row.panel_phone), row.panel_since)
    return Session(row.idle_since, row.tracks_idle, panel)


def state_of(row: Row[Any], sessions: Iterable[Row[Any]]) -> State:
    """Return the state of a row and its sessions' rows, oldest first; raises ValueError for an unknown value."""
    choice = report = None
    if row.choice_status is not None:
        choice = Choice(Status(row.choice_status), row.choice_at, row.choice_text, row.choice_until)
    if row.report_phone is not None:
        report = Report(Phone(row.report_phone), row.report_at, row.report_pbx, row.report_expires)
    return State(
        choice=choice,
        launched_at=row.launched_at,
        last_activity=row.last_activity,
        panel_mode=row.panel_mode and Mode(row.panel_mode),
        panel_ended_at=row.panel_ended_at,
        report=report,
        sessions=MappingProxyType({one.jid: session_of(one) for one in sessions}),
    )


def roster_row(employee: str, roster: Roster) -> Values:
    """Return a roster's row of `rosters`."""
    return {
        "employee": employee,
        "provisioned": roster.provisioned,
        "pending": sorted(roster.pending),
        "removing": sorted(roster.removing),
        "domain_item": roster.domain_item,
        "asked_at": roster.asked_at,
        "renewed": sorted(roster.renewed),
    }


def roster_of(row: Row[Any]) -> Roster:
    """Return the roster of a row."""
    return Roster(
        provisioned=row.provisioned,
        pending=frozenset(row.pending),
        removing=frozenset(row.removing),
        domain_item=row.domain_item,
        asked_at=row.asked_at,
        renewed=frozenset(row.renewed),
    )


def exception_of(row: Row[Any]) -> SubscriptionException:
    """Return the exception of a row of `subscriptions`; raises ValueError for one that does not exist."""
    for known in get_args(SubscriptionException):
        if row.exception == known:
            exception: SubscriptionException = known
            return exception
    raise ValueError(f"{row.exception!r} is not a valid exception")
