"""What is done to a roster: never a fight with the user, never a wrong inference."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from component.core.directory import Directory, Employee
from component.core.roster import Plan, Roster, RosterItem, plan

DOMAIN = "panel.example.test"
IVANOV, PETROV, SIDOROV = (
    Employee(one, one, f"{one}@example.test", one.title(), groups=groups)
    for one, groups in (("ivanov", ("Продажи", "Совет")), ("petrov", ("Продажи",)), ("sidorov", ("Склад",)))
)
EVERYONE = Directory((IVANOV, PETROV, SIDOROV), "everyone")
GROUPS = Directory((IVANOV, PETROV, SIDOROV), "groups")
KEPT = Roster(provisioned=True, domain_item=True)
DOMAIN_ITEM = RosterItem(DOMAIN, "Статусы", ("Телефония",), "from")
IVANOV_ITEM = RosterItem(f"ivanov@{DOMAIN}", "Ivanov", ("Продажи", "Совет"))
SIDOROV_ITEM = RosterItem(f"sidorov@{DOMAIN}", "Sidorov", ("Склад",))
ALL = {item.jid: item for item in (DOMAIN_ITEM, IVANOV_ITEM, SIDOROV_ITEM)}


def planned(
    actual: dict[str, RosterItem],
    roster: Roster = KEPT,
    deleted: tuple[str, ...] = (),
    directory: Directory = EVERYONE,
) -> Plan:
    return plan(directory, PETROV, roster, deleted, actual, DOMAIN, "Статусы", "Телефония")


def test_an_empty_roster_gets_the_domain_first_and_everybody_else() -> None:
    assert planned({}, Roster()) == Plan(set=(DOMAIN_ITEM, IVANOV_ITEM, SIDOROV_ITEM))


def test_a_roster_that_is_right_is_left_alone() -> None:
    assert planned(ALL) == Plan()


def test_names_and_groups_that_the_employee_gave_are_left_alone() -> None:
    assert planned({**ALL, IVANOV_ITEM.jid: replace(IVANOV_ITEM, name="Ваня", groups=("Друзья",))}) == Plan()


def test_a_contact_that_the_directory_changed_is_set_again() -> None:
    actual = {**ALL, IVANOV_ITEM.jid: replace(IVANOV_ITEM, name="Old")}
    for renewed in (replace(KEPT, renewed=frozenset({"ivanov"})), replace(KEPT, pending=frozenset({"ivanov"}))):
        assert planned(actual, renewed).set == (IVANOV_ITEM,)
        assert planned(ALL, renewed) == Plan()


def test_a_contact_deleted_by_hand_before_its_new_name_was_set_stays_deleted() -> None:
    actual = {jid: item for jid, item in ALL.items() if jid != IVANOV_ITEM.jid}
    assert planned(actual, replace(KEPT, renewed=frozenset({"ivanov"}))).set == ()


def test_a_missing_item_that_was_kept_was_deleted_by_hand() -> None:
    actual = {jid: item for jid, item in ALL.items() if jid != IVANOV_ITEM.jid}
    assert planned(actual) == Plan(deleted_by_hand=frozenset({"ivanov"}))
    assert planned(actual, deleted=("ivanov",)) == Plan()


def test_a_missing_item_that_is_still_to_be_set_is_set() -> None:
    actual = {jid: item for jid, item in ALL.items() if jid != IVANOV_ITEM.jid}
    assert planned(actual, replace(KEPT, pending=frozenset({"ivanov"}))) == Plan(set=(IVANOV_ITEM,))
    assert planned(actual, Roster()) == Plan(set=(IVANOV_ITEM,))


def test_a_restored_account_is_filled_again() -> None:
    assert planned({}) == Plan(set=(DOMAIN_ITEM, IVANOV_ITEM, SIDOROV_ITEM))
    assert planned({}, deleted=("ivanov",)) == Plan(set=(DOMAIN_ITEM, SIDOROV_ITEM))


def test_the_domain_item_is_always_repaired() -> None:
    actual = {jid: item for jid, item in ALL.items() if jid != DOMAIN}
    assert planned(actual) == Plan(set=(DOMAIN_ITEM,))
    assert planned({**ALL, DOMAIN: replace(DOMAIN_ITEM, subscription="none")}) == Plan(set=(DOMAIN_ITEM,))


def test_the_other_direction_of_a_subscription_is_kept() -> None:
    wider = replace(IVANOV_ITEM, subscription="both")
    assert planned({**ALL, IVANOV_ITEM.jid: wider}) == Plan()
    assert planned({**ALL, IVANOV_ITEM.jid: replace(IVANOV_ITEM, subscription="from")}) == Plan(set=(wider,))
    to = replace(DOMAIN_ITEM, subscription="to")
    assert planned({**ALL, DOMAIN: to}) == Plan(set=(replace(DOMAIN_ITEM, subscription="both"),))


def test_contacts_that_may_no_longer_be_seen_go_and_only_shared_groups_are_shown() -> None:
    to_do = planned(ALL, directory=GROUPS)
    assert to_do.remove == (SIDOROV_ITEM.jid,)
    assert planned({}, Roster(), directory=GROUPS).set == (DOMAIN_ITEM, replace(IVANOV_ITEM, groups=("Продажи",)))


def test_what_a_person_only_asked_for_is_not_ours() -> None:
    strange = RosterItem(f"nobody@{DOMAIN}", subscription="none")
    assert planned({**ALL, strange.jid: strange}) == Plan()


items = st.builds(
    RosterItem,
    st.sampled_from([DOMAIN, *(f"{one}@{DOMAIN}" for one in ("ivanov", "petrov", "sidorov", "nobody"))]),
    st.text(max_size=3),
    st.lists(st.text(max_size=3), max_size=2).map(tuple),
    st.sampled_from(["none", "to", "from", "both"]),
)
people = st.frozensets(st.sampled_from(["ivanov", "sidorov", "nobody"]))
rosters = st.builds(Roster, st.booleans(), people, people, st.booleans(), renewed=people)


@given(st.lists(items), rosters, people, st.sampled_from([EVERYONE, GROUPS]))
def test_a_plan_carried_out_leaves_nothing_to_do(
    actual: list[RosterItem], roster: Roster, deleted: frozenset[str], directory: Directory
) -> None:
    before = {item.jid: item for item in actual}
    first = planned(before, roster, tuple(deleted), directory)
    after = {jid: item for jid, item in before.items() if jid not in first.remove}
    after.update((item.jid, item) for item in first.set)
    assert planned(after, KEPT, tuple(deleted | first.deleted_by_hand), directory) == Plan()
    for contact in deleted - {"nobody"}:
        assert f"{contact}@{DOMAIN}" not in {item.jid for item in first.set}
