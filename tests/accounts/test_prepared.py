"""A prepared question gets the answers that the plain one gets, whoever asks, and however many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import UUIDField

from accounts.backends import at_the_door
from accounts.prepared import Slot, prepared

from .. import factories

by_key = prepared(lambda: at_the_door().filter(pk=Slot("pk", UUIDField())))


@pytest.mark.django_db
def test_each_gets_their_own_answer_and_nobody_anothers():
    people = [factories.member() for _ in range(3)]
    for person in [*people, *reversed(people)]:
        (found,) = by_key(pk=person.pk)
        plain = at_the_door().get(pk=person.pk)
        assert found == person
        assert {name: value for name, value in vars(found).items() if name[0] != "_"} == {
            name: value for name, value in vars(plain).items() if name[0] != "_"
        }
        assert (found.membership, found.membership.cohort) == (plain.membership, plain.membership.cohort)


@pytest.mark.django_db
def test_it_costs_one_query_and_its_relations_none(django_assert_num_queries):
    person = factories.member()
    list(by_key(pk=person.pk))
    with django_assert_num_queries(1):
        (found,) = by_key(pk=person.pk)
        assert found.membership.cohort.name == "First"


@pytest.mark.django_db
def test_a_value_is_never_part_of_the_words():
    person = factories.member()
    with pytest.raises(Exception, match="valid UUID"):
        list(by_key(pk=f"{person.pk}' OR '1'='1"))
    with pytest.raises(KeyError):
        list(by_key(name="someone"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["50 %s of 100% o'clock", 'a \\ and a "quote"', "%%s", "?"])
def test_what_is_fixed_in_a_question_is_taken_to_the_letter(name):
    person, _other = factories.member(name=name), factories.member(name="another")
    by_both = prepared(lambda: at_the_door().filter(name=name, pk=Slot("pk", UUIDField())))
    assert list(by_both(pk=person.pk)) == [person]
    assert not by_both(pk=_other.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
@pytest.mark.skipif(connection.vendor != "postgresql", reason="threads meet on PostgreSQL")
def test_threads_that_ask_at_once_get_their_own():
    people = [factories.member() for _ in range(4)]

    def ask(person):
        try:
            return [list(by_key(pk=person.pk)) == [person] for _ in range(50)]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        assert all(all(answers) for answers in pool.map(ask, people))
