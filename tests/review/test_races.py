"""Two people at once, on PostgreSQL, in threads: one of them wins, the other is told so, and nothing is half done."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import audit
from generation import storage
from generation.models import Clip
from review import gate, queue
from review.models import Claim, Decision, Publication, Recusal, Submission, Takedown, Withdrawal
from tests import factories

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]
ROUNDS = 5


def posting(login, user, path, **data):
    client = login(user)
    return lambda: client.post(path, data).status_code


def decision_of(login, reviewer, submission, outcome="approve"):
    return posting(
        login,
        reviewer,
        f"/desk/submissions/{submission.pk}/decision/",
        outcome=outcome,
        content_hash=submission.content_hash,
        reasons=["hate"] if outcome == "refuse" else [],
        note="A note.",
    )


def lapse(submission):
    Claim.objects.filter(submission=submission).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_of_two_reviewers_deciding_at_once_one_wins_and_the_other_is_told(login):
    """The first one's claim has lapsed and the second has taken over; both press the button in the same moment."""
    first, second = factories.member("reviewer"), factories.member("reviewer")
    for _round in range(ROUNDS):
        submission = factories.submission()
        assert queue.claim(submission, by=first)
        lapse(submission)
        assert queue.claim(submission, by=second)
        acts = decision_of(login, first, submission), decision_of(login, second, submission, "refuse")
        assert held_up(Submission, submission.pk, *acts) == [409, 302]
        decision = Decision.objects.get(submission=submission)
        assert (decision.by, decision.outcome) == (second, "refuse")
    assert list(audit.broken_entries()) == []


def test_of_two_tabs_deciding_at_once_one_wins_and_the_other_is_told(login):
    reviewer = factories.member("reviewer")
    for _round in range(ROUNDS):
        submission = factories.submission(publish_on_approval=True)
        assert queue.claim(submission, by=reviewer)
        acts = [decision_of(login, reviewer, submission, outcome) for outcome in ("approve", "refuse")]
        assert sorted(held_up(Submission, submission.pk, *acts)) == [302, 409]
        decision = Decision.objects.get(submission=submission)
        assert Publication.objects.filter(approval=decision.pk).exists() == decision.is_approval
    assert list(audit.broken_entries()) == []


def test_a_decision_racing_the_takeover_of_its_claim_is_made_by_whoever_holds_it(login):
    first, second = factories.member("reviewer"), factories.member("reviewer")
    for _round in range(ROUNDS):
        submission = factories.submission()
        assert queue.claim(submission, by=first)
        lapse(submission)
        taking = posting(login, second, f"/desk/submissions/{submission.pk}/claim/")
        decided, taken = held_up(Submission, submission.pk, decision_of(login, first, submission), taking)
        assert (decided, taken) == (409, 302)
        assert not Decision.objects.filter(submission=submission).exists()


def test_a_withdrawal_racing_a_decision_never_leaves_both(login):
    reviewer, seen = factories.member("reviewer"), Counter()
    for _round in range(ROUNDS * 2):
        submission = factories.submission()
        assert queue.claim(submission, by=reviewer)
        withdrawing = posting(login, submission.artist, f"/studio/submissions/{submission.pk}/withdrawal/")
        statuses = held_up(Submission, submission.pk, withdrawing, decision_of(login, reviewer, submission))
        assert sorted(statuses) == [302, 409]
        withdrawn = Withdrawal.objects.filter(submission=submission).exists()
        assert withdrawn != Decision.objects.filter(submission=submission).exists()
        assert withdrawn == (statuses[0] == 302)
        seen[withdrawn] += 1
    assert sum(seen.values()) == ROUNDS * 2


def test_two_clicks_on_submit_make_one_submission(login):
    for _round in range(ROUNDS):
        clip = factories.clip(factories.member())
        click = {"title": "One title", "statement": ""}
        acts = [
            posting(login, clip.owner, f"/studio/clips/{clip.pk}/submissions/", **click)
            for _click in range(2)
        ]
        assert held_up(Clip, clip.pk, *acts) == [302, 302]
        assert [submission.version for submission in clip.submissions.all()] == [1]


def test_two_different_submissions_of_one_clip_make_one(login):
    clip = factories.clip(factories.member())
    acts = [
        posting(login, clip.owner, f"/studio/clips/{clip.pk}/submissions/", title=title)
        for title in ("One", "Two")
    ]
    assert sorted(held_up(Clip, clip.pk, *acts)) == [302, 409]
    assert clip.submissions.count() == 1


def test_two_clicks_on_publish_make_one_publication(login):
    submission = factories.submission()
    factories.decision(submission)
    path = f"/studio/submissions/{submission.pk}/publication/"
    acts = [posting(login, submission.artist, path) for _click in range(2)]
    assert held_up(Submission, submission.pk, *acts) == [302, 302]
    assert Publication.objects.filter(approval__submission=submission).count() == 1
    assert audit.AuditEntry.objects.filter(act="publication.created").count() == 1


def test_publishing_again_while_it_is_taken_down_leaves_nothing_public(login):
    """The artist's second click on "publish" repairs files; a takedown in the same moment must win over it."""
    reviewer = factories.member("reviewer")
    for number in range(ROUNDS * 2):
        publication = factories.publication()
        submission = publication.submission
        storage.public().delete_folder(publication.slug)
        acts = [
            posting(login, submission.artist, f"/studio/submissions/{submission.pk}/publication/"),
            posting(login, reviewer, f"/desk/publications/{publication.pk}/takedown/", reason="A reason."),
        ]
        run = at_once if number % 2 else lambda *acts, pk=submission.pk: held_up(Submission, pk, *acts)
        published, ended = run(*acts)
        assert ended == 302
        assert published in (302, 409)
        assert Takedown.objects.filter(publication=publication).count() == 1
        assert login().get(f"/watch/{publication.slug}/video.mp4").status_code == 410
        assert not [path for path in storage.public().path(publication.slug).rglob("*") if path.is_file()]


def test_two_takedowns_at_once_make_one_and_the_other_is_told(login):
    publication = factories.publication()
    path = f"/desk/publications/{publication.pk}/takedown/"
    staff = [factories.member("reviewer"), factories.member("admin")]
    acts = [posting(login, by, path, reason="A reason.") for by in staff]
    assert sorted(held_up(Submission, publication.submission.pk, *acts)) == [302, 409]
    assert audit.AuditEntry.objects.filter(act="publication.taken_down").count() == 1


def test_eight_reviewers_claiming_twenty_submissions_get_each_one_once():
    artist = factories.member()
    submissions = [factories.submission(artist=artist) for _number in range(20)]
    reviewers = [factories.member("reviewer") for _number in range(8)]

    def work_through(reviewer):
        taken = []
        while (found := queue.claim_next(reviewer)) is not None:
            taken.append(found.pk)
            gate.decide(found, by=reviewer, outcome="approve", content_hash=found.content_hash)
        return taken

    taken = [
        pk for own in at_once(*(lambda r=reviewer: work_through(r) for reviewer in reviewers)) for pk in own
    ]
    assert Counter(taken) == Counter({submission.pk: 1 for submission in submissions})
    assert list(audit.broken_entries()) == []


def test_eight_reviewers_claiming_at_once_hold_eight_different_ones():
    artist = factories.member()
    for _number in range(20):
        factories.submission(artist=artist)
    reviewers = [factories.member("reviewer") for _number in range(8)]
    claimed = at_once(*(lambda r=reviewer: queue.claim_next(r).pk for reviewer in reviewers))
    assert len(set(claimed)) == 8
    assert {claim.reviewer_id: claim.submission_id for claim in Claim.objects.all()} == {
        reviewer.pk: pk for reviewer, pk in zip(reviewers, claimed, strict=True)
    }


def test_the_last_submission_goes_to_one_of_eight():
    submission = factories.submission()
    reviewers = [factories.member("reviewer") for _number in range(8)]
    claimed = at_once(*(lambda r=reviewer: queue.claim_next(r) for reviewer in reviewers))
    assert [found.pk for found in claimed if found] == [submission.pk]


def test_a_heartbeat_and_a_takeover_at_once_leave_one_holder_who_knows(login):
    """The lease lapses just then: either the holder's sign of life came in time, or the other has the clip."""
    for number in range(ROUNDS * 2):
        submission = factories.submission()
        holder, other = factories.member("reviewer"), factories.member("reviewer")
        assert queue.claim(submission, by=holder)
        Claim.objects.update(expires_at=timezone.now() + timedelta(milliseconds=30 * number))
        beat = posting(login, holder, f"/desk/submissions/{submission.pk}/renewal/")
        take = posting(login, other, f"/desk/submissions/{submission.pk}/claim/")
        time.sleep(0.1)
        told = at_once(beat, take)
        # The third: asked for while it still held, and the sign of life came when it held no more.
        assert told in ([200, 409], [409, 302], [409, 409]), number
        holders = [claim.reviewer for claim in Claim.objects.live().filter(submission=submission)]
        assert holders == {200: [holder], 302: [other], 409: []}[min(told)], number


def test_a_goodbye_and_a_heartbeat_at_once_never_lose_the_claim_of_who_is_back(login):
    """A reload: the page that goes says goodbye, and the one that comes gives its first sign of life."""
    for _round in range(ROUNDS):
        submission, holder = factories.submission(), factories.member("reviewer")
        assert queue.claim(submission, by=holder)
        path = f"/desk/submissions/{submission.pk}/"
        until = Claim.objects.get(submission=submission).expires_at.isoformat()
        left, back = at_once(
            posting(login, holder, f"{path}leaving/", until=until), posting(login, holder, f"{path}renewal/")
        )
        assert (left, back) == (204, 200)
        # Either order is right, as long as the second sign of life finds the claim where it was.
        assert posting(login, holder, f"{path}renewal/")() == 200


def test_two_who_race_for_what_a_third_passes_on_get_it_once(login):
    for _round in range(ROUNDS):
        submission = factories.submission()
        first, second, third = (factories.member("reviewer") for _number in range(3))
        assert queue.claim(submission, by=first)
        path = f"/desk/submissions/{submission.pk}/"
        claims = [posting(login, by, f"{path}claim/") for by in (second, third)]
        passed, *claimed = held_up(
            Submission, submission.pk, posting(login, first, f"{path}pass/", reason="Why."), *claims
        )
        assert passed == 302
        assert claimed.count(302) <= 1
        holder = Claim.objects.filter(submission=submission).first()
        assert (holder is None) == (302 not in claimed)
        Claim.objects.all().delete()
        decided = queue.claim_next(first)
        assert decided is None, "who passed is not offered it next"
        queue.claim(submission, by=third)
        gate.decide(submission, by=third, outcome="approve", content_hash=submission.content_hash)


def test_of_a_decision_and_a_recusal_at_once_only_one_can_come_first(login):
    """In two tabs of one reviewer: a decision after the recusal is refused, and the other way round it is too late."""
    for _round in range(ROUNDS):
        submission, reviewer = factories.submission(), factories.member("reviewer")
        assert queue.claim(submission, by=reviewer)
        path = f"/desk/submissions/{submission.pk}/recusal/"
        acts = [
            decision_of(login, reviewer, submission),
            posting(login, reviewer, path, reason="A friend."),
        ]
        decided, recused = held_up(Submission, submission.pk, *acts)
        assert sorted([decided, recused]) == [302, 409]
        assert Decision.objects.filter(submission=submission).exists() == (decided == 302)
        assert Recusal.objects.filter(submission=submission).exists() == (recused == 302)


def test_of_two_claims_on_a_lapsed_one_exactly_one_holds(login):
    for _round in range(ROUNDS):
        submission = factories.submission()
        assert queue.claim(submission, by=factories.member("reviewer"))
        lapse(submission)
        others = [factories.member("reviewer") for _number in range(4)]
        path = f"/desk/submissions/{submission.pk}/claim/"
        claimed = held_up(Submission, submission.pk, *(posting(login, by, path) for by in others))
        assert sorted(claimed) == [302, 409, 409, 409]
        assert Claim.objects.get(submission=submission).reviewer == others[claimed.index(302)]
