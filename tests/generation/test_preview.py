"""The picture of a forming clip: for its owner's eyes, as long as the work goes on, and nowhere else."""

import io
import itertools
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from generation import attempts, encoding, queue
from generation.engine import MOMENTS, catalog, process
from generation.models import Attempt, Job
from tests import factories

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8\xff a picture that nobody else may see \xff\xd9"


@pytest.fixture(autouse=True, scope="module")
def warm_engine():
    yield
    attempts.close_engine()


def forming(owner) -> tuple[Job, Attempt]:
    """A job in the midst of its steps, with a picture to leak."""
    job = factories.job(owner)
    attempt = factories.claim_of(job)
    assert queue.renew(attempt, stage="denoising", step=3, preview=JPEG)
    return job, attempt


def picture_of(attempt) -> bytes | None:
    kept = Attempt.objects.values_list("preview", flat=True).get(pk=attempt.pk)
    return None if kept is None else bytes(kept)


def get(client, job):
    return client.get(reverse("job_preview", args=[job.pk]))


# --- Who sees it --------------------------------------------------------------------------------


def test_its_owner_sees_the_clip_form(artist, login):
    job, _ = forming(artist)
    response = get(login(artist), job)
    assert (response.status_code, response["Content-Type"], response.content) == (200, "image/jpeg", JPEG)
    told = login(artist).get(reverse("job_status", args=[job.pk])).json()
    assert told["preview"] == f"/studio/jobs/{job.pk}/preview.jpg?step=3"
    page = login(artist).get(reverse("job", args=[job.pk])).content.decode()
    assert told["preview"] in page
    assert 'alt="' in page


def test_nobody_else_does(artist, login, reviewer, admin):
    job, _ = forming(artist)
    for other in (factories.member(), reviewer, admin):
        response = get(login(other), job)
        assert response.status_code == 404
        assert JPEG not in response.content
    response = get(login(), job)
    assert (response.status_code, response.url.startswith("/accounts/login/")) == (302, True)


def test_no_cache_keeps_it(artist, login):
    job, _ = forming(artist)
    response = get(login(artist), job)
    told = set(response["Cache-Control"].split(", "))
    assert {"no-store", "private"} <= told
    assert told.isdisjoint({"public", "immutable"})
    assert not {"ETag", "Last-Modified"} & set(response.headers)


def test_one_s_own_picture_is_not_another_s_under_one_s_own_address(artist, login):
    """Two jobs of two artists: each address gives its own owner's picture, or nothing."""
    mine, _ = forming(artist)
    stranger = factories.member()
    theirs = factories.job(stranger)
    attempt = factories.claim_of(theirs)
    assert queue.renew(attempt, stage="denoising", step=1, preview=b"theirs")
    assert get(login(stranger), theirs).content == b"theirs"
    assert get(login(stranger), mine).status_code == 404
    assert get(login(artist), theirs).status_code == 404


# --- When it is gone ----------------------------------------------------------------------------


def finish(attempt, owner):
    made = {"width": 128, "height": 128, "frames": 12, "fps": 12.0}
    assert queue.finish(attempt, recipe={}, files=[], **made)


def lapse(attempt, owner):
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=attempt.started_at)
    assert queue.put_back_lapsed() == 1


ENDINGS = {
    "finished": finish,
    "failed": lambda attempt, owner: queue.give_up(attempt, retry=False, sentence="No."),
    "to be tried again": lambda attempt, owner: queue.give_up(attempt, retry=True),
    "cancelled": lambda attempt, owner: queue.cancel(attempt.job, by=owner),
    "lapsed": lapse,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_gone_at_the_end_however_that_comes(artist, login, ending):
    job, attempt = forming(artist)
    visitor = login(artist)
    assert (picture_of(attempt), get(visitor, job).status_code) == (JPEG, 200)
    ENDINGS[ending](attempt, artist)
    assert (picture_of(attempt), get(visitor, job).status_code) == (None, 404)
    assert visitor.get(reverse("job_status", args=[job.pk])).json()["preview"] is None
    assert "preview.jpg" not in visitor.get(reverse("job", args=[job.pk])).content.decode()


def test_a_zombie_s_picture_reaches_no_row(artist, login):
    job, attempt = forming(artist)
    queue.cancel(job, by=artist)
    assert not queue.renew(attempt, stage="denoising", step=4, preview=JPEG)
    assert (picture_of(attempt), get(login(artist), job).status_code) == (None, 404)


def test_the_database_keeps_no_picture_of_an_attempt_that_is_over(artist):
    """Whatever code ends an attempt some day: it can't forget the picture."""
    job, attempt = forming(artist)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(ended_at=attempt.started_at)
    queue.cancel(job, by=artist)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(preview=JPEG)


def test_the_next_attempt_starts_without_the_last_one_s_picture(artist, login):
    job, attempt = forming(artist)
    queue.give_up(attempt, retry=True)
    factories.claim_of(job)
    assert get(login(artist), job).status_code == 404


# --- What it costs ------------------------------------------------------------------------------


def test_a_renewal_without_a_picture_keeps_the_last_one(artist):
    _, attempt = forming(artist)
    assert queue.renew(attempt, stage="encoding", step=8)
    assert picture_of(attempt) == JPEG


@pytest.mark.parametrize("name", ["job", "job_status", "studio"])
def test_lists_and_polls_leave_it_in_the_database(artist, login, name):
    job, _ = forming(artist)
    visitor = login(artist)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        visitor.get(reverse(name, args=[] if name == "studio" else [job.pk]))
    read = [query["sql"] for query in queries if "generation_attempt" in query["sql"]]
    assert read
    assert not [sql for sql in read if '"preview",' in sql or '"preview" FROM' in sql]


@pytest.mark.parametrize("side", [16, 128, 256])
def test_even_noise_makes_a_small_picture(side):
    """It lies in the attempt's row, which is written each second."""
    noise = np.random.default_rng(0).integers(0, 256, (MOMENTS, side, side, 3), dtype=np.uint8)
    assert len(encoding.strip(noise)) <= 8192


@pytest.mark.django_db(transaction=True)
def test_an_artist_s_page_gets_a_new_picture_about_once_a_second(login):
    """The real child, followed from its first step to its last: pictures are small, and differ."""
    owner = factories.member()
    job = factories.job(owner, prompt="slow card", steps=12)
    attempt, visitor, seen, over = factories.claim_of(job), login(owner), [], threading.Event()

    def watch():
        while not over.is_set():
            response = get(visitor, job)
            if response.status_code == 200 and (not seen or seen[-1][1] != response.content):
                seen.append((time.monotonic(), response.content))
            time.sleep(0.02)
        connections.close_all()

    beside = threading.Thread(target=watch)
    beside.start()
    attempts.carry_out(attempt)
    over.set()
    beside.join()
    assert len(seen) >= 3
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(seen)]
    assert min(gaps) > 0.9
    assert (get(visitor, job).status_code, picture_of(attempt)) == (404, None)
    for _, content in seen:
        assert len(content) <= 8192
        picture = Image.open(io.BytesIO(content))
        assert (picture.format, picture.size) == ("JPEG", (MOMENTS * 128, 128))


def test_the_engine_tells_its_first_picture_early_and_no_more_than_one_a_second(tmp_path):
    recipe = catalog.get("testcard").recipe("a card", seed=1, steps=8)
    with closing(attempts.engine().run(recipe, tmp_path)) as events:
        told = [event for event in events if isinstance(event, process.Step | process.Preview)]
    assert [type(event) for event in told[:2]] == [process.Step, process.Preview]
    # The whole clip takes half a second.
    assert sum(isinstance(event, process.Preview) for event in told) == 1
