"""Who may see whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.directory import Directory, Employee, Visibility

ZONE = "Europe/Moscow"


def employee(name: str, *groups: str, timezone: str | None = None) -> Employee:
    return Employee(name, name, f"{name}@example.test", name.title(), groups=groups, timezone=timezone)


PEOPLE = (
    employee("ivanov", "sales", "board"),
    employee("petrov", "sales"),
    employee("sidorov", "it"),
    employee("kuznetsov"),
    employee("smirnov", "board"),
)
NAMES = [one.id for one in PEOPLE]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from(["sales", "it", "board"]))),
    st.sampled_from(["everyone", "groups"]),
    st.sets(st.tuples(st.sampled_from("abcdefx"), st.sampled_from("abcdefx"))),
)
def test_visibility_is_mutual_and_nobody_sees_himself(
    groups: dict[str, set[str]], visibility: Visibility, blocks: set[tuple[str, str]]
) -> None:
    directory = Directory((employee(name, *sorted(of)) for name, of in groups.items()), visibility, blocks)
    assert len(directory) == len(groups)
    for viewer in groups:
        assert directory.visible_to(viewer) == {one for one in groups if directory.may_see(viewer, one)}
        assert viewer not in directory.visible_to(viewer)
        for contact in groups:
            assert directory.may_see(viewer, contact) is directory.may_see(contact, viewer)
            if (viewer, contact) in blocks:
                assert not directory.may_see(viewer, contact)


@pytest.mark.parametrize("visibility", ["everyone", "groups"])
def test_a_block_hides_both_from_each_other_and_from_nobody_else(visibility: Visibility) -> None:
    free = Directory(PEOPLE, visibility)
    directory = free.with_blocks([("ivanov", "petrov")])
    for one, other in (("ivanov", "petrov"), ("petrov", "ivanov")):
        assert not directory.may_see(one, other)
        assert directory.visible_to(one) == free.visible_to(one) - {other}
    for name in set(NAMES) - {"ivanov", "petrov"}:
        assert directory.visible_to(name) == free.visible_to(name)
    assert free.may_see("ivanov", "petrov"), "the directory before it is as it was"


def test_who_blocks_whom_is_known_to_the_one_who_blocks() -> None:
    directory = Directory(PEOPLE, "everyone", [("ivanov", "smirnov"), ("ivanov", "petrov"), ("sidorov", "ivanov")])
    assert directory.blocked_by("ivanov") == ["petrov", "smirnov"]
    assert directory.blocked_by("petrov") == []
    assert directory.blocked_by("sidorov") == ["ivanov"]
    assert directory.blocked_by("stranger") == []
    assert not directory.with_blocks([]).blocks


def test_blocks_of_ids_that_are_not_in_the_directory_are_left_out() -> None:
    directory = Directory(PEOPLE, "everyone", [("ivanov", "left"), ("left", "petrov"), ("ivanov", "petrov")])
    assert directory.blocks == {("ivanov", "petrov")}


def test_everyone_sees_everyone_else_whatever_the_groups() -> None:
    directory = Directory(PEOPLE, "everyone")
    for name in NAMES:
        assert directory.visible_to(name) == set(NAMES) - {name}


@pytest.mark.parametrize(
    ("viewer", "visible"),
    [
        ("ivanov", {"petrov", "smirnov"}),
        ("petrov", {"ivanov"}),
        ("smirnov", {"ivanov"}),
        ("sidorov", set()),
        ("kuznetsov", set()),
    ],
)
def test_by_groups_one_common_group_is_enough_and_no_group_sees_nobody(viewer: str, visible: set[str]) -> None:
    assert Directory(PEOPLE, "groups").visible_to(viewer) == visible


@pytest.mark.parametrize("visibility", ["everyone", "groups"])
def test_who_is_not_in_the_directory_sees_nobody_and_is_seen_by_nobody(visibility: Visibility) -> None:
    directory = Directory(PEOPLE, visibility)
    assert directory.visible_to("stranger") == frozenset()
    assert not directory.may_see("stranger", "ivanov")
    assert not directory.may_see("ivanov", "stranger")
    assert not directory.may_see("stranger", "stranger")


def test_an_employee_is_found_by_account_and_by_localpart() -> None:
    oneil = Employee("o'neil", "o\\27neil", "oneil@example.test", "O'Neil")
    directory = Directory([oneil], "everyone")
    assert directory.employees["o'neil"] is oneil
    assert directory.by_account["oneil@example.test"] is oneil
    assert directory.by_localpart["o\\27neil"] is oneil


def test_zones_are_several_when_somebody_is_elsewhere() -> None:
    at_home = [employee("ivanov"), employee("petrov", timezone=ZONE)]
    assert not Directory(at_home, "everyone").several_zones(ZONE)
    assert Directory([*at_home, employee("sidorov", timezone="Asia/Omsk")], "everyone").several_zones(ZONE)
    assert not Directory([], "everyone").several_zones(ZONE)
