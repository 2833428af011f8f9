"""A model whose license asks for it is offered once an admin or the operator has acknowledged that license."""

import re
import shutil
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from accounts.models.exclusion import Impossible
from generation import offers, queue
from generation.engine import catalog, entries, weights
from generation.forms import PromptForm
from generation.models import Acknowledgement, Job
from tests import factories
from tests.accounts.factors import age_proof, code, log_in, recovery_codes, with_app

from . import tiny

pytestmark = pytest.mark.django_db
MODEL = "cogvideox-5b"
PAGE, ACT = "/program/models/", f"/program/models/{MODEL}/acknowledgement/"


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    return tiny.save(MODEL, tmp_path_factory.mktemp("weights"))


@pytest.fixture
def model(pinned, tmp_path, monkeypatch):
    """The entry with its weights here, and nobody's word for its license yet."""
    folder = shutil.copytree(pinned, tmp_path / MODEL)
    model = replace(entries.COGVIDEOX, weights=folder)
    license_comes(model, "The first wording.")
    told = {"embedded": catalog.EMBEDDED, MODEL: model, "testcard": catalog.TESTCARD}
    monkeypatch.setattr(catalog, "CATALOG", told)
    return model


def license_comes(model, text):
    (model.weights / "LICENSE").write_text(text)
    weights.pin(model.weights, model.hub, commit=model.hub.commit)


def recipe(model):
    return model.recipe("a boat", seed=1)


def acknowledged(model, *, by=None):
    return offers.acknowledge(model, by=by, shown=offers.digest_of_text(model))


# --- Before and after -----------------------------------------------------------------------------


def test_before_it_is_acknowledged_nobody_can_use_it(model, artist, login):
    assert model in catalog.offered()
    assert model not in offers.offered()
    catalog.check(recipe(model))
    with pytest.raises(queue.NotOffered, match="waits for an admin to acknowledge its license"):
        queue.enqueue(artist, recipe(model))
    form = PromptForm({"prompt": "a boat", "model": MODEL})
    assert not form.is_valid()
    studio = login(artist)
    assert model.name not in studio.get("/studio/").text
    answer = studio.post("/studio/jobs/", {"prompt": "a boat", "model": MODEL})
    assert answer.status_code == 422
    assert not Job.objects.exists()


def test_after_it_is_acknowledged_it_is_on_offer(model, artist, login, admin):
    acknowledged(model, by=admin)
    assert model in offers.offered()
    assert PromptForm({"prompt": "a boat", "model": MODEL}).is_valid()
    assert queue.enqueue(artist, recipe(model)).model == MODEL
    assert model.name in login(artist).get("/studio/").text


def test_what_was_acknowledged_is_recorded_once(model, admin):
    first = acknowledged(model, by=admin)
    assert acknowledged(model, by=factories.member("admin")) == first
    assert (first.model, first.license, first.by) == (MODEL, "The CogVideoX License", admin)
    assert first.asks == model.license.asks
    assert first.text_sha256 == offers.digest_of_text(model)
    (entry,) = AuditEntry.objects.filter(act="model.license_acknowledged")
    assert (entry.by, entry.words) == (admin, "CogVideoX (5B): The CogVideoX License")


def test_another_wording_has_to_be_acknowledged_anew(model, admin):
    acknowledged(model, by=admin)
    license_comes(model, "The second wording.")
    assert model not in offers.offered()
    acknowledged(model, by=admin)
    assert model in offers.offered()
    license_comes(model, "The first wording.")
    assert model in offers.offered()


def test_a_license_that_asks_nothing_costs_no_query(django_assert_num_queries, monkeypatch):
    told = {"embedded": catalog.EMBEDDED, "testcard": catalog.TESTCARD}
    monkeypatch.setattr(catalog, "CATALOG", told)
    with django_assert_num_queries(0):
        assert offers.offered() == (catalog.EMBEDDED, catalog.TESTCARD)
        assert offers.is_offered("testcard")


# --- Who may, and what they have to have read -----------------------------------------------------


def test_only_who_runs_the_program_acknowledges(model, artist, reviewer):
    for by in (artist, reviewer):
        with pytest.raises(Impossible, match="no longer an admin"):
            acknowledged(model, by=by)
    assert not Acknowledgement.objects.exists()


def test_the_text_that_was_shown_is_the_one_that_counts(model, admin):
    shown = offers.digest_of_text(model)
    license_comes(model, "Changed while the page stood open.")
    with pytest.raises(offers.NotAcknowledged, match="is another one by now"):
        offers.acknowledge(model, by=admin, shown=shown)


def test_a_license_whose_weights_are_not_here_can_not_be_acknowledged(model, admin):
    (model.weights / weights.MANIFEST).unlink()
    with pytest.raises(offers.NotAcknowledged, match="weights are not here yet"):
        acknowledged(model, by=admin)


def test_a_license_that_asks_nothing_is_not_acknowledged(admin):
    with pytest.raises(offers.NotAcknowledged, match="asks for no acknowledgement"):
        acknowledged(catalog.EMBEDDED, by=admin)


# --- The page -------------------------------------------------------------------------------------


def test_the_page_shows_the_license_and_takes_the_word_for_it(model, admin, login):
    office = login(admin)
    page = office.get(PAGE).text
    assert "Waits for you" in page
    assert "The first wording." in page
    assert model.license.asks in page
    answer = office.post(ACT, {"shown": offers.digest_of_text(model)}, follow=True)
    assert "CogVideoX (5B) can be used now." in answer.text
    assert f"by {admin.name}." in answer.text
    assert "Waits for you" not in answer.text
    assert "Acknowledged a model’s license" in office.get("/program/audit/").text


@pytest.mark.parametrize(
    "path, sent, status, says",
    [
        (ACT, {"shown": "a" * 64}, 409, "is another one by now"),
        (ACT, {"shown": "a" * 65}, 422, "not what the page sends"),
        ("/program/models/embedded/acknowledgement/", {}, 409, "asks for no acknowledgement"),
        ("/program/models/nothing/acknowledgement/", {}, 404, ""),
    ],
)
def test_the_page_refuses_in_a_sentence(model, admin, login, path, sent, status, says):
    answer = login(admin).post(path, sent)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert not Acknowledgement.objects.exists()


def test_the_page_asks_who_is_at_the_keyboard(model, admin, settings):
    settings.REQUIRE_MFA = True
    office = Client()
    log_in(office, with_app(admin))
    office.post("/accounts/2fa/authenticate/", {"code": recovery_codes(admin)[0]})
    age_proof(office)
    asked = office.post(ACT, {"shown": offers.digest_of_text(model)})
    assert "Is it you?" in asked.text
    assert not Acknowledgement.objects.exists()
    sealed = re.search(r'name="confirm-sealed" value="([^"]+)"', asked.text)[1]
    office.post(ACT, {"confirm-sealed": sealed, "confirm-code": code()})
    assert Acknowledgement.objects.get().by == admin


def test_the_page_costs_the_same_however_many_models_ask(model, admin, login, monkeypatch):
    office = login(admin)
    office.get(PAGE)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            office.get(PAGE)
        return len(queries)

    one = cost()
    more = {f"more-{number}": replace(model, id=f"more-{number}") for number in range(5)}
    monkeypatch.setattr(catalog, "CATALOG", dict(catalog.CATALOG) | more)
    for other in more.values():
        acknowledged(other, by=admin)
    assert cost() == one


# --- The command ----------------------------------------------------------------------------------


def command(*words, **options):
    out = StringIO()
    call_command("models", *words, stdout=out, **options)
    return out.getvalue()


def test_the_operator_pins_verifies_and_acknowledges(model):
    (model.weights / weights.MANIFEST).unlink()
    assert "not pinned" in line_of(command())
    assert f"hf download {model.hub.repo} --revision {model.hub.commit}" in command("show", MODEL)
    pinned = command("pin", MODEL, commit=model.hub.commit)
    assert model.revision in pinned
    assert model.hub.commit in pinned
    assert "once its license is acknowledged" in pinned
    assert "here" in line_of(command())
    assert model.hub.commit in command("show", MODEL)
    assert "are those that were pinned" in command("verify", MODEL)
    with pytest.raises(CommandError, match="say --yes"):
        command("acknowledge", MODEL)
    assert "can be used now" in command("acknowledge", MODEL, yes=True)
    assert Acknowledgement.objects.get().by is None


def line_of(table):
    return next(line for line in table.splitlines() if line.startswith(MODEL))


def test_the_command_says_what_is_wrong(model):
    (model.weights / "vae" / "more.json").write_text("{}")
    with pytest.raises(CommandError, match=r"vae/more.json was not there when it was pinned"):
        command("verify", MODEL)
    (model.weights / "vae" / "model.bin").write_bytes(b"")
    with pytest.raises(CommandError, match=r"Nothing was pinned\. vae/model.bin could run code"):
        command("pin", MODEL)
    (model.weights / weights.INDEX).unlink()
    with pytest.raises(CommandError, match="There are no weights in"):
        command("pin", MODEL)
    for words, options, says in (
        (("pin",), {}, "name it"),
        (("list", MODEL), {}, "name it"),
        (("verify", MODEL), {"commit": "c" * 40}, "Only pinning needs a commit"),
        (("pin", "sora"), {}, "no model named “sora”"),
        (("pin", "embedded"), {}, "ships with sorahub"),
        (("acknowledge", "embedded"), {"yes": True}, "asks for no acknowledgement"),
    ):
        with pytest.raises(CommandError, match=says):
            command(*words, **options)
