"""What a reviewer sees next: the queue by waiting time, and claims that are exclusive and expire."""

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from .models import Claim, Submission

RACES = 5  # how often the head of the queue may be snatched away before we call it empty


def waiting_for(reviewer):
    """Submissions that this reviewer could decide on, the longest waiting first."""
    return Submission.objects.waiting().exclude(artist=reviewer).order_by("sealed_at", "pk")


def claim_next(reviewer) -> Submission | None:
    """The reviewer's own open claim, or else the longest waiting submission that nobody holds."""
    mine = waiting_for(reviewer).filter(claim__in=Claim.objects.live().filter(reviewer=reviewer)).first()
    if mine is not None and claim(mine, by=reviewer):
        return mine
    held = Claim.objects.live().filter(submission=OuterRef("pk"))
    free = waiting_for(reviewer).filter(~Exists(held))
    for _try in range(RACES):
        with transaction.atomic():
            found = free.select_for_update(skip_locked=True, of=("self",)).first()
            if found is None:
                return None
            if claim(found, by=reviewer):
                return found
    return None


@transaction.atomic
def claim(submission: Submission, *, by) -> bool:
    """Takes or renews the claim on one submission; False if somebody else holds it or nothing is left to decide."""
    Submission.objects.select_for_update().get(pk=submission.pk)
    if not waiting_for(by).filter(pk=submission.pk).exists():
        return False
    now = timezone.now()
    Claim.objects.filter(submission=submission, expires_at__lte=now).delete()
    held, _created = Claim.objects.get_or_create(
        submission=submission, defaults={"reviewer": by, "expires_at": now + settings.CLAIM_LIFETIME}
    )
    if held.reviewer_id != by.pk:
        return False
    Claim.objects.filter(pk=held.pk).update(expires_at=now + settings.CLAIM_LIFETIME)
    return True


def release(submission: Submission, *, by) -> None:
    Claim.objects.filter(submission=submission, reviewer=by).delete()


def place(submission: Submission) -> int | None:
    """Place in the queue by waiting time, from 1; None unless it waits."""
    if submission.state != "waiting":
        return None
    return 1 + Submission.objects.waiting().filter(sealed_at__lt=submission.sealed_at).count()


def recently_decided(reviewer, limit: int = 5):
    """What this reviewer decided last, to find one's way back to it."""
    decided = Submission.objects.at_the_desk().filter(decision__by=reviewer)
    related = ("artist", "withdrawal", "decision__publication__takedown")
    return decided.select_related(*related).order_by("-decision__at")[:limit]
