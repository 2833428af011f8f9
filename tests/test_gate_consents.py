"""Consents, uses, set times and warnings by raw SQL: by whoever may, in their turn, and never around them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from review import consenting, gate, scheduling
from review.models import Consent, Schedule, Takedown
from review.rules.consents import MOST_PLACE

from . import factories
from .gate_sql import fresh_id, insert, key, new_decision, new_publication, refused, run

ANY = r"\S"  # by whichever wall: a trigger or a constraint
pytestmark = pytest.mark.usefixtures("gate_database")


def new_consent(on, by, **changes) -> tuple:
    row = {"id": fresh_id(), "submission_id": key(on), "use": "press", "number": 1}
    return insert(row | {"by_id": key(by), "at": timezone.now()} | changes, "review_consent")


def new_revocation(of: Consent, by, **changes) -> tuple:
    row = {"consent_id": key(of), "by_id": key(by), "at": timezone.now()}
    return insert(row | changes, "review_revocation")


def new_use(of: Consent, by, **changes) -> tuple:
    row = {"consent_id": key(of), "place": "Here.", "by_id": key(by), "at": timezone.now()}
    return insert(row | changes, "review_consenteduse")


def new_schedule(on, by, *, after=timedelta(days=1), **changes) -> tuple:
    now = timezone.now()
    row = {"id": fresh_id(), "submission_id": key(on), "number": 1, "by_id": key(by), "at": now}
    return insert(row | {"publish_at": now + after, "zone": "UTC"} | changes, "review_schedule")


def new_end(of: Schedule, outcome: str, *, by=None, at=None) -> tuple:
    row = {"schedule_id": key(of), "outcome": outcome, "by_id": by and key(by), "at": at or timezone.now()}
    return insert(row, "review_scheduleend")


def consent_to(use: str, on) -> Consent:
    return Consent.objects.get(submission=on, use=use)


@pytest.fixture
def fresh(made):
    return factories.submission()


# --- What is public is allowed ------------------------------------------------------------------------


def test_nothing_becomes_public_after_its_consent_was_revoked(fresh):
    approval = factories.decision(fresh)
    run(*new_revocation(consent_to("gallery", fresh), fresh.artist))
    refused(*new_publication(approval), words="without the consent")
    run(*new_consent(fresh, fresh.artist, use="gallery", number=2))
    run(*new_publication(approval))


def test_nothing_becomes_public_by_a_consent_to_something_else_or_of_another_work(fresh, made):
    approval = factories.decision(fresh)
    run(*new_revocation(consent_to("gallery", fresh), fresh.artist))
    for use in ("press", "social", "contest", "training", "tools"):
        run(*new_consent(fresh, fresh.artist, use=use))
    assert Consent.objects.live().filter(submission=made.live.submission, use="gallery").exists()
    refused(*new_publication(approval), words="without the consent")


def test_a_public_work_keeps_its_consent_until_it_is_taken_down(made):
    held, artist = consent_to("gallery", made.live.submission), made.live.submission.artist
    refused(*new_revocation(held, artist), words="taken down before")
    run(*new_revocation(consent_to("press", made.live.submission), artist))
    gate.take_down(made.live, by=artist)
    run(*new_revocation(held, artist))


# --- Consents and revocations -----------------------------------------------------------------------------


def test_only_the_artist_consents_and_revokes(fresh, made):
    for by in (made.waiting.artist, factories.member("admin"), factories.member("reviewer")):
        refused(*new_consent(fresh, by))
        refused(*new_revocation(consent_to("gallery", fresh), by))
    run(*new_consent(fresh, fresh.artist))


def test_a_consent_is_given_again_only_after_it_was_revoked(fresh):
    run(*new_consent(fresh, fresh.artist))
    for number in (1, 2):
        refused(*new_consent(fresh, fresh.artist, number=number))
    run(*new_revocation(consent_to("press", fresh), fresh.artist))
    for number in (0, 1, 3):
        refused(*new_consent(fresh, fresh.artist, number=number))
    run(*new_consent(fresh, fresh.artist, number=2))


def test_a_consent_is_revoked_once_and_to_something_known(fresh):
    refused(*new_consent(fresh, fresh.artist, use="everything"), words=ANY)
    run(*new_consent(fresh, fresh.artist))
    held = consent_to("press", fresh)
    run(*new_revocation(held, fresh.artist))
    refused(*new_revocation(held, fresh.artist))


# --- Uses --------------------------------------------------------------------------------------------------


def test_only_what_is_public_and_allowed_is_used(made, fresh):
    admin = factories.member("admin")
    public, artist = made.live.submission, made.live.submission.artist
    held = consent_to("press", public)
    run(*new_use(held, admin))
    refused(*new_use(consent_to("social", public), admin))  # revoked in this world
    refused(*new_use(consent_to("gallery", public), admin))
    run(*new_consent(fresh, fresh.artist))
    refused(*new_use(consent_to("press", fresh), admin))
    factories.decision(fresh)
    refused(*new_use(consent_to("press", fresh), admin))
    gate.take_down(made.live, by=artist)
    assert held.is_live
    refused(*new_use(held, admin))


@pytest.mark.parametrize("place", ["", "   ", "x" * (MOST_PLACE + 1)])
def test_a_use_says_where_and_is_not_born_erased(made, place):
    held, admin = consent_to("press", made.live.submission), factories.member("admin")
    refused(*new_use(held, admin, place=place), words=ANY)
    refused(*new_use(held, admin, erased_at=timezone.now()))


# --- Set times -------------------------------------------------------------------------------------------------


def test_only_the_artist_sets_a_time_and_ahead_of_it(fresh, made):
    for by in (made.waiting.artist, factories.member("admin")):
        refused(*new_schedule(fresh, by))
    for after in (timedelta(0), timedelta(days=-1)):
        refused(*new_schedule(fresh, fresh.artist, after=after))
    run(*new_schedule(fresh, fresh.artist))


def test_no_time_is_set_for_what_can_not_go_public_any_more(made):
    for on in (made.refused.submission, made.withdrawn, made.live.submission, made.ended.submission):
        refused(*new_schedule(on, on.artist))
    run(*new_schedule(made.approved.submission, made.approved.submission.artist))


def test_one_time_ends_before_the_next_is_set(fresh):
    run(*new_schedule(fresh, fresh.artist))
    for number in (1, 2):
        refused(*new_schedule(fresh, fresh.artist, number=number))
    run(*new_end(Schedule.objects.get(submission=fresh), "called-off", by=fresh.artist))
    for number in (1, 3):
        refused(*new_schedule(fresh, fresh.artist, number=number))
    run(*new_schedule(fresh, fresh.artist, number=2))


def test_a_set_time_is_called_off_by_its_artist_and_ends_not_before_it_has_come(fresh):
    run(*new_schedule(fresh, fresh.artist))
    held = Schedule.objects.get(submission=fresh)
    later = held.publish_at + timedelta(seconds=1)
    for by in (factories.member(), factories.member("admin"), None):
        refused(*new_end(held, "called-off", by=by))
    for outcome in ("undecided", "published"):
        refused(*new_end(held, outcome))
        refused(*new_end(held, outcome, by=fresh.artist, at=later))
    refused(*new_end(held, "published", at=later))  # nothing was
    refused(*new_end(held, "otherwise", at=later), words=ANY)
    run(*new_end(held, "undecided", at=later))
    refused(*new_end(held, "called-off", by=fresh.artist))


# --- Warnings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kinds", ["unheard", "violence unheard", "viol", " ", "violence ", "violence violence"]
)
def test_an_approval_warns_of_known_kinds(fresh, kinds):
    refused(*new_decision(fresh, factories.member("reviewer"), reasons="", warning_kinds=kinds))


def test_a_refusal_warns_of_nothing_and_an_approval_may(fresh):
    by = factories.member("reviewer")
    for warned in ({"warning_kinds": "violence"}, {"warning_line": "Look away."}):
        refused(*new_decision(fresh, by, outcome="refuse", **warned), words=ANY)
    run(*new_decision(fresh, by, reasons="", warning_kinds="violence nudity", warning_line="Look away."))


def test_no_sql_takes_a_warning_away(fresh):
    factories.decision(fresh, warning_kinds=["violence"], warning_line="Look away.")
    for change in ("warning_kinds = ''", "warning_line = ''", "warning_line = 'Nothing.'"):
        refused(f"UPDATE review_decision SET {change} WHERE submission_id = %s", key(fresh))
    erasure = "note = '', erased_at = %s, warning_line = ''"
    refused(f"UPDATE review_decision SET {erasure} WHERE submission_id = %s", timezone.now(), key(fresh))


def test_what_the_product_does_passes_all_of_it(fresh):
    """So that the refusals above mean something."""
    artist = fresh.artist
    scheduling.schedule(fresh, by=artist, publish_at=timezone.now() + timedelta(hours=1), zone="UTC")
    scheduling.schedule(fresh, by=artist, publish_at=timezone.now() + timedelta(hours=2), zone="UTC")
    scheduling.call_off(fresh, by=artist)
    consenting.allow(fresh, by=artist, use="press")
    factories.publication(fresh)
    consenting.use(consent_to("press", fresh), by=factories.member("admin"), place="https://example.com/")
    consenting.revoke(fresh, by=artist, use="gallery")
    assert Takedown.objects.filter(publication__approval__submission=fresh).exists()
