"""A big company's directory file."""

import csv
import io


def directory(employees: int, group: int, domain: str) -> str:
    """Return the CSV of so many employees in groups of `group`."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "account", "name", "extension", "groups", "mode"])
    for number in range(employees):
        account = f"e{number:05}@{domain}"
        mode = ("softphone", "deskphone")[number % 2]
        writer.writerow(
            [f"e{number:05}", account, f"Сотрудник {number}", str(10000 + number), f"Отдел {number // group}", mode]
        )
    return out.getvalue()
