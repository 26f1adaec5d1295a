"""A hundred thousand odd stanzas through the real handlers: nothing escapes, nothing is corrupted, memory stays flat.

`PANEL_FUZZ_SEED` repeats a run, `PANEL_FUZZ_STANZAS` makes it longer or shorter.
"""

import gc
import os
import random
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from component.core.facts import Mode
from component.xmpp.namespaces import PANEL
from tests.corpus import examples
from tests.unit.fakes import DOMAIN
from tests.unit.mutations import ATTRIBUTES, JIDS, NAMES, NAMESPACES, TYPES, WORDS, mutated
from tests.unit.stanza_checks import (
    HIDDEN,
    SECRETS,
    as_for_nobody,
    check_answers,
    check_company,
    failures,
    same_to,
)
from tests.unit.stanza_rig import PEOPLE, PETROV, StanzaRig

CORPUS = [stanza for _, stanza in examples()]
STANZAS = int(os.environ.get("PANEL_FUZZ_STANZAS", "100000"))
SEED = int(os.environ.get("PANEL_FUZZ_SEED", "0")) or random.randrange(1, 2**32)
MEMORY_BOUND, OBJECTS_BOUND = 16 * 2**20, 2000
"""By how many bytes the process, and by how many objects its heap may grow while the second half goes through."""


async def rig_with_secrets() -> StanzaRig:
    name, extension, text = SECRETS
    people = tuple(replace(one, name=name, extension=extension) if one.id == "hidden" else one for one in PEOPLE)
    rig = StanzaRig(people=people)
    rig.attendance.panel(f"{HIDDEN}/panel", "hidden", Mode.DESKPHONE, None, None)
    await rig.choices.choose("hidden", "busy", text, None, None)
    return rig


async def goes_through(rig: StanzaRig, stanza: Element) -> None:
    """Hand a stanza in and check everything that it caused."""
    came, twin, sender = deepcopy(stanza), None, stanza.get("from", "")
    is_told_all = sender in rig.company.deaf  # once, by whichever presence of his comes first
    if stanza.get("to", "").startswith(f"hidden@{DOMAIN}") and not sender.startswith(HIDDEN) and not is_told_all:
        twin = as_for_nobody(stanza)
    left = await rig.comes(stanza)
    check_answers(came, left)
    if twin is not None:
        assert same_to(sender, left, await rig.comes(twin)), "a hidden contact differs from one that is not"


async def pour(rig: StanzaRig, chance: random.Random, number: int) -> None:
    """Hand mutated stanzas in; now and then time passes and the link is lost."""
    with failures() as failed:
        for count in range(number):
            stanza = mutated(chance, CORPUS)
            written = deepcopy(stanza)
            try:
                await goes_through(rig, stanza)
                assert failed == []
                if count % 20 == 0:
                    check_company(rig)
            except AssertionError as error:
                text = tostring(written, encoding="unicode")[:3000]
                raise AssertionError(f"seed {SEED}, stanza {count}: {error}\n{text}\n{failed}") from error
            if chance.random() < 0.2:
                rig.clock.pass_by(seconds=chance.choice((0.5, 1, 30, 1000)))
            if chance.random() < 0.0005:
                await reconnect(rig)
            rig.left.clear()
            rig.store.log.clear()
    check_company(rig)


async def reconnect(rig: StanzaRig) -> None:
    """The link is lost and comes back; the sessions are asked again, and those that are silent end."""
    rig.link.up = False
    await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'/>")
    rig.link.up = True
    rig.attendance.resync()
    assert rig.attendance._resync
    await rig.attendance._resync


def memory() -> tuple[int, int]:
    """The bytes in memory, and the number of objects that the garbage collector knows."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(gc.get_objects())


@pytest.mark.timeout(600)
async def test_a_hundred_thousand_stanzas(capsys: pytest.CaptureFixture[str]) -> None:
    rig, chance, begin = await rig_with_secrets(), random.Random(SEED), time.monotonic()
    await pour(rig, chance, STANZAS // 2)
    half = memory()
    await pour(rig, chance, STANZAS // 2)
    grown, more = (after - before for after, before in zip(memory(), half, strict=True))
    rig.attendance.stop()
    taken = time.monotonic() - begin
    with capsys.disabled():
        print(f"\n{STANZAS} stanzas, seed {SEED}: {taken:.1f} s, {taken / STANZAS * 1e6:.0f} µs each;", end=" ")
        print(f"the second half grew memory by {grown / 2**20:.1f} MiB and {more} objects")
    assert grown <= MEMORY_BOUND
    assert more <= OBJECTS_BOUND


@pytest.mark.parametrize("source", sorted({place.partition(":")[0] for place, _ in examples()}))
async def test_every_example_as_it_stands_from_and_to_everybody(source: str) -> None:
    rig = await rig_with_secrets()
    with failures() as failed:
        for stanza in (one for place, one in examples() if place.partition(":")[0] == source):
            for sender in (None, PETROV, "stranger@example.test/x", f"{HIDDEN}/pc", "example.test", DOMAIN):
                for to in (None, DOMAIN, f"ivanov@{DOMAIN}/panel", f"hidden@{DOMAIN}", f"nobody@{DOMAIN}"):
                    copy = deepcopy(stanza)
                    copy.attrib.update({name: jid for name, jid in (("from", sender), ("to", to)) if jid})
                    await goes_through(rig, copy)
                    check_company(rig)
    assert failed == []


def test_the_corpus_is_large_and_says_where_each_stanza_is_from() -> None:
    assert len(CORPUS) >= 150
    assert all(place and "None" not in place for place, _ in examples())


attributes = st.dictionaries(
    st.sampled_from(ATTRIBUTES), st.sampled_from((*WORDS, *TYPES)) | st.text(st.characters(exclude_categories=()))
)
tags = st.builds("{{{}}}{}".format, st.sampled_from(NAMESPACES), st.sampled_from(NAMES))


def element(tag: str, attrib: dict[str, str], text: str | None, children: list[Element]) -> Element:
    made = Element(tag, attrib)
    made.text = text
    made.extend(children)
    return made


texts = st.none() | st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=()))
elements = st.recursive(
    st.builds(element, tags, attributes, texts, st.just([])),
    lambda children: st.builds(element, tags, attributes, texts, st.lists(children, max_size=3)),
    max_leaves=8,
)
stanzas = st.builds(
    element,
    st.sampled_from(sorted({one.tag for one in CORPUS})),
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(JIDS) | st.text(max_size=20) for name in ("from", "to")}
    ).flatmap(
        lambda jids: st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(TYPES), "id": st.text(max_size=20)}
        ).map(lambda rest: {**jids, **rest})
    ),
    texts,
    st.lists(elements, max_size=3),
)


@settings(max_examples=60)
@given(st.lists(stanzas, min_size=1, max_size=10))
async def test_stanzas_that_are_built_from_nothing(built: list[Element]) -> None:
    rig = await rig_with_secrets()
    with failures() as failed:
        for stanza in built:
            await goes_through(rig, deepcopy(stanza))
            check_company(rig)
    assert failed == []


async def test_the_checks_find_what_they_are_for() -> None:
    rig = await rig_with_secrets()
    rig.company.sessions["stranger@example.test/x"] = "ivanov"
    with pytest.raises(AssertionError):
        check_company(rig)
    came = Element("{jabber:component:accept}presence", {"from": PETROV, "to": DOMAIN})
    leak = Element("{jabber:component:accept}presence", {"from": f"hidden@{DOMAIN}/panel", "to": PETROV})
    with pytest.raises(AssertionError, match="may not see"):
        check_answers(came, [leak])
    leak.set("from", f"ivanov@{DOMAIN}/panel")
    check_answers(came, [leak])
    leak.append(Element(f"{{{PANEL}}}panel", {"x": SECRETS[0]}))
    with pytest.raises(AssertionError, match="secret"):
        check_answers(came, [leak])
    with failures() as failed:
        rig.link.defects = 1
        await rig.comes(f"<presence from='{PETROV}' to='ivanov@{DOMAIN}' type='probe'/>")
    assert len(failed) == 1
