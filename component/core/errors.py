"""What can be wrong with a request, as values that the edges turn into stanza errors or exit codes."""


class Refusal(Exception):
    """A request that a rule refuses; nothing has changed.

    `condition` is a defined condition of RFC 6120 section 8.3.3, `key` names the text in `core.texts`,
    `values` fill it in.
    """

    def __init__(self, condition: str, key: str, **values: object) -> None:
        super().__init__(f"{condition}: {key} {values}" if values else f"{condition}: {key}")
        self.condition = condition
        self.key = key
        self.values = values


class BadRows(Exception):
    """A directory file that cannot be applied; `problems` has one line per bad row, with its line number."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class TooManyRemovals(Exception):
    """An import that would remove more employees than is allowed without being asked for."""

    def __init__(self, removals: int, employees: int, limit: int) -> None:
        super().__init__(f"the file would remove {removals} of {employees} employees; the limit is {limit}")
        self.removals = removals
        self.employees = employees
        self.limit = limit


ERROR_TYPES = {
    "bad-request": "modify",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "internal-server-error": "wait",
    "item-not-found": "cancel",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
}
"""The error type that goes with each condition used here (RFC 6120 section 8.3.3)."""
