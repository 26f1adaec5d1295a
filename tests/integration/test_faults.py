"""A short selection of `scripts/faults`: ten faults on each server, while things happen in a small company."""

import random
from pathlib import Path

from scripts.fault_runs import chaos
from tests.servers.server import Server

SEED = 11
FAULTS = [
    "kill",
    "stop",
    "restart",
    "cut",
    "server-restart",
    "server-kill",
    "clients-break",
    "component-hangs",
    "store-locked",
    "store-deleted",
]


async def test_after_events_and_faults_every_client_believes_the_truth(kind: type[Server], tmp_path: Path) -> None:
    server = kind(tmp_path / "server")
    await server.start()
    faults = random.Random(SEED).sample(FAULTS, len(FAULTS))
    try:
        outcome = await chaos.run(server, tmp_path / "site", SEED, faults, people=6, events=200, checks=len(faults))
    finally:
        await server.stop()
    assert not outcome.failed, outcome.failed
    assert outcome.faults.total() == len(FAULTS)
    assert outcome.pairs > 0
    assert outcome.idle == [], "presences that changed nothing, without a reason"
