"""`manage.py seed_demo`: a small program to look at, made on the product's own way: invited, generated, approved.

Nothing is written past the gate: the clips come from the engine, the approvals from a claim at the desk. With a big
`--clips`, the later clips share the bytes of the first ones, so that load tests don't wait for the engine.
"""

import os
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Membership, User
from accounts.models.invitation import Invitation, accept, invite
from accounts.models.membership import Role
from generation import attempts, news, offers, queue
from generation.engine import RuleBroken, catalog
from generation.models import Attempt, Clip, Job, Rendition
from review import gate, leases, making, preparing, sealing
from review import queue as desk
from review.models import Decision, Preparation, Submission

# Prompt, title, statement, seed. The last three stay at the desk.
WORKS = [
    (
        "a red balloon rising over a green field at sunset",
        "Letting go",
        "The first thing I asked it for.",
        11,
    ),
    ("a white boat sails west at sea under the moon", "Night crossing", "", 12),
    ("a blue car moving left on a city street at night", "Last bus missed", "Walked home in the end.", 13),
    ("an orange rocket flies up in the desert at dusk", "Small step", "", 14),
    ("a green ball bouncing in the snow by day", "First snow", "Somebody forgot a ball.", 15),
    ("a yellow fish moving right underwater", "Commuter", "", 16),
    ("a pink heart falling in the city in the evening", "Heavy evening", "", 17),
    ("a purple bird moving right over the ocean on a sunny day", "South", "A short study of going away.", 18),
    ("a white star rising over the desert at night", "Minor planet", "", 19),
]
WAITING = 3
WATCHING = 600  # seconds within which a clip of the demo is there
COHORT = "Demo"


class Command(BaseCommand):
    help = "Fills the demo with members and clips, through the gate. Run again, it adds only what is missing."

    def add_arguments(self, parser):
        parser.add_argument(
            "--clips", type=int, default=len(WORKS), help="how many clips there should be in all"
        )
        parser.add_argument("--artists", type=int, default=1, help="among how many artists")
        parser.add_argument(
            "--waiting", type=int, default=WAITING, help="how many clips stay at the desk, at least"
        )

    def handle(self, *, clips, artists, waiting, **options):
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError(
                "Demo members have a known password: set SORAHUB_DEMO=1 where that is what you want."
            )
        if clips < 0 or artists < 1:
            raise CommandError("--clips must be 0 or more, and --artists 1 or more.")
        password = demo_password()
        makers = [member(*_maker(number), Role.ARTIST, password) for number in range(1, artists + 1)]
        reviewer = member("reviewer@example.com", "Demo Reviewer", Role.REVIEWER, password)
        member("admin@example.com", "Demo Admin", Role.ADMIN, password)
        self._works(clips, waiting, makers, reviewer)

    def _works(self, count: int, waiting: int, makers: list[User], reviewer: User) -> None:
        """Works are made in their order, so how many there are tells where a second run goes on."""
        if not offers.offered():
            self.stdout.write("No model is installed, so no clips were made.")
            return
        # The works are of the embedded model's world, and it needs no GPU; another one only where it is not there.
        model = min(offers.offered(), key=lambda model: model is not catalog.EMBEDDED)
        for number in range(Submission.objects.filter(artist__in=makers).count(), count):
            prompt, title, statement, seed = WORKS[number % len(WORKS)]
            artist = makers[number % len(makers)]
            if number < len(WORKS):
                self.stdout.write(f"Making clip {number + 1} of {min(count, len(WORKS))}: {title}")
                clip = generated(artist, model, prompt, seed)
            else:
                clip = copied(artist, source_of(number, makers))
            words = {"title": title, "statement": statement, "discloses_recipe": number % 2 == 0}
            submission = sealing.submit(clip, by=artist, **words)
            prepared(submission, like=None if number < len(WORKS) else a_sealed_one_of(clip))
            stays = number in range(len(WORKS) - WAITING, len(WORKS)) or number >= count - waiting + WAITING
            if not stays and approved(submission, reviewer):
                gate.publish(submission, by=artist)


def demo_password() -> str:
    """What the demo's members log in with."""
    return os.environ.get("SORAHUB_DEMO_PASSWORD") or "sorahub-demo"


def _maker(number: int) -> tuple[str, str]:
    """(e-mail, name) of the demo's artist of this number, from 1."""
    suffix = str(number) if number > 1 else ""
    return f"artist{suffix}@example.com", f"Demo Artist {suffix}".strip()


def member(email: str, name: str, role: str, password: str) -> User:
    """The member with this address, invited and accepted if there is none yet; the password is the one asked for."""
    existing = Membership.objects.filter(user__email=email).select_related("user").first()
    if existing:
        if not existing.user.check_password(password):
            existing.user.set_password(password)
            existing.user.save(update_fields=["password"])
        return existing.user
    Invitation.objects.open().filter(email=email).delete()
    invitation, _link = invite(email, role=role, cohort=COHORT, by=None)
    return accept(invitation, name=name, password=password)


def generated(artist: User, model: catalog.Model, prompt: str, seed: int) -> Clip:
    """A clip from the real engine, carried out here unless a worker is quicker."""
    try:
        recipe = model.recipe(prompt, seed=seed)
        catalog.check(recipe)
    except RuleBroken as broken:
        raise CommandError(broken.sentence) from None
    job = queue.enqueue(artist, recipe)
    news.watching(job, seconds=WATCHING)  # whoever tries the demo has no mail and no inbox full of its making
    while not job.is_over:
        if not attempts.work("seed_demo"):
            time.sleep(0.5)
        job.refresh_from_db()
    if job.status != Job.Status.SUCCEEDED:
        raise CommandError(f"A demo clip could not be made: {job.error}")
    return job.clip


def source_of(number: int, makers: list[User]) -> Clip:
    """The generated clip whose bytes the work of this number shares."""
    clips = Clip.objects.filter(owner__in=makers).order_by("created_at")
    return clips[number % len(WORKS)]


@transaction.atomic
def copied(artist: User, source: Clip) -> Clip:
    """A clip of the same bytes, made by a job and an attempt like any other, before a worker could see either."""
    job = queue.enqueue(artist, source.job.recipe)
    news.watching(job, seconds=WATCHING)
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, attempts_made=1, started_at=job.created_at
    )
    attempt = Attempt.objects.create(job=job, number=1, worker="seed_demo", lease_until=job.created_at)
    files = [queue.Stored(file.kind, file.sha256, file.size) for file in source.renditions.all()]
    made = {name: getattr(source, name) for name in ("recipe", "width", "height", "frames", "fps")}
    queue.finish(attempt, files=files, **made)
    return Clip.objects.get(job=job)


def a_sealed_one_of(clip: Clip) -> Submission | None:
    """A submission whose clip has the same bytes."""
    same = clip.rendition(Rendition.Kind.VIDEO).sha256
    sealed = Submission.objects.exclude(content_hash=None).filter(clip__renditions__sha256=same)
    return sealed.order_by("created_at").first()


def prepared(submission: Submission, *, like: Submission | None) -> None:
    """Makes its public files here, unless a worker is quicker; or takes those of another that shows the same."""
    while submission.content_hash is None:
        work = leases.claim_next()
        if work is None:
            time.sleep(0.2)
        elif like and work.submission_id == submission.pk and isinstance(work, Preparation):
            made = [preparing.Made(file.kind, file.sha256, file.size) for file in like.files.all()]
            preparing.finish(work, made)
        else:
            making.carry_out(work)
        submission.refresh_from_db()
        if submission.state == "unprepared":
            raise CommandError(f"A demo submission could not be prepared: {submission.preparation.error}")


def approved(submission: Submission, reviewer: User) -> bool:
    """Whether it is: the demo has one reviewer, and what takes two people stays at the desk."""
    desk.claim(submission, by=reviewer)
    said = {"outcome": "approve", "content_hash": submission.content_hash}
    return isinstance(gate.decide(submission, by=reviewer, **said), Decision)
