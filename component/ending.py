"""The end of a run, within a time: what watchers are told, and what stays owed to them."""

import asyncio
import logging
from datetime import timedelta

from component.core.duration import format_duration
from component.notify import Notifier
from component.services.heartbeat import Heartbeat
from component.services.publisher import Publisher

log = logging.getLogger(__name__)

CLOSING = timedelta(seconds=30)
"""What a stop may take behind `stop.timeout` at most: the link's end, running commands, the store."""


async def finish(
    publisher: Publisher, heartbeat: Heartbeat, notifier: Notifier, within: timedelta, withdrawn: int
) -> None:
    """Bring the watchers to the end of the run, within a time, and note for the next start what they hold.

    `withdrawn` is the number of contacts to withdraw, 0 to keep what watchers see.
    """
    says = f"stopping: withdrawing {withdrawn} contacts" if withdrawn else "ending: what colleagues see is kept"
    notifier.stopping(says, within + CLOSING)
    proven = False
    try:
        async with asyncio.timeout(within.total_seconds()):
            if withdrawn:
                await publisher.withdraw_all()
            proven = await heartbeat.proof(within.total_seconds())
    except TimeoutError:
        log.debug("the time for the stop is over")
    await heartbeat.renew()
    if withdrawn and not proven:
        log.warning(
            "the server has not confirmed that it took everything (stop.timeout: %s): the withdrawals of %d contacts "
            "are owed (%d of them were not sent); what colleagues see may be wrong until the next start",
            *(format_duration(within), withdrawn, publisher.owed),
        )
