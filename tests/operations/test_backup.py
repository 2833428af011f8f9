"""A backup holds the whole house or isn't there; whatever was changed in it afterwards is found."""

import json
import shutil

import pytest
from django.core.management import CommandError
from django.db import connection

from generation import keys, storage
from generation.models import Rendition
from review import gate, journal
from review.models import PublicFile
from sorahub.backup import making, manifest
from tests import factories
from tests.buckets import NOWHERE

from .houses import files_under, manage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def house():
    """A take, a clip at the desk, and a public one."""
    factories.clip(factories.member())
    factories.submission()
    return factories.publication()


def objects(place):
    return {name.rpartition("/")[2] for name in files_under(place / "objects")}


def test_a_backup_holds_every_file_that_a_row_names_once(place, house):
    said = manage("backup", place)
    (made,) = manifest.complete(place)
    told = manifest.read(made)
    named = {
        sha256
        for record in (Rendition, PublicFile)
        for sha256 in record.objects.values_list("sha256", flat=True)
    }
    assert objects(place) == set(told.private) == named
    assert len(named) == 12, "two of each of three clips, and three public ones of each of two submissions"
    assert set(told.public) == {f"{house.slug}/{kind}" for kind in ("video", "poster", "sprite")}
    assert f"{made} holds 12 files, 12 of them new." in said
    assert manage("backup", place, verify=True) == f"{made.name} is whole: its database and 12 files.\n"
    assert (place.stat().st_mode & 0o077, made.stat().st_mode & 0o077) == (0, 0)


def test_a_backup_holds_the_pictures_that_takes_begin_with(place, house):
    artist = factories.member()
    sent, waiting = factories.picture(artist), factories.picture(artist)
    factories.job(artist, picture=sent)
    manage("backup", place)
    assert {sent.sha256, waiting.sha256} <= objects(place)


def test_the_next_backup_copies_only_what_is_new(place, house):
    manage("backup", place)
    factories.clip(factories.member())
    assert "holds 14 files, 2 of them new." in manage("backup", place)
    assert "holds 14 files, 0 of them new." in manage("backup", place)
    assert len(manifest.complete(place)) == 3


def test_no_key_of_the_house_is_kept(place, house, settings):
    manage("backup", place)
    kept = b"".join(files_under(place).values())
    lines = keys.signing().private_key.splitlines()
    assert not [line for line in lines if line.encode() in kept]
    assert settings.SECRET_KEY.encode() not in kept


def test_files_that_no_row_names_are_not_kept(place, house):
    storage.private().write("ab/nobodys", [b"x"], sha256=storage._digest([b"x"]))
    manage("backup", place)
    assert "nobodys" not in objects(place)


def test_old_backups_go_with_the_files_that_only_they_name(place, house):
    take = factories.clip(factories.member())
    manage("backup", place)
    gone = set(take.renditions.values_list("sha256", flat=True))
    assert gone <= objects(place)
    take.renditions.all().delete()
    assert "1 older backups deleted." in manage("backup", place, keep=1)
    assert len(manifest.complete(place)) == 1
    assert not gone & objects(place)
    assert "is whole" in manage("backup", place, verify=True)


def test_a_lost_private_file_is_taken_from_its_public_copy(place, house):
    digest = house.submission.files.get(kind="video").sha256
    whole = factories.bytes_of(house.submission)
    storage.private().path(storage.private_name(digest)).write_bytes(b"damaged")
    manage("backup", place)
    assert (place / "objects" / storage.private_name(digest)).read_bytes() == whole


def test_a_house_with_files_missing_is_backed_up_and_says_so(place, house):
    take = factories.clip(factories.member())
    storage.private().delete(storage.private_name(take.rendition("video").sha256))
    with pytest.raises(CommandError, match="1 files that rows name are missing or damaged") as found:
        manage("backup", place)
    assert found.value.returncode == 3
    assert manifest.read(manifest.find(place)).missing == [take.rendition("video").sha256]
    assert "is whole" in manage("backup", place, verify=True)


# --- Changed afterwards ---------------------------------------------------------------------------


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def database_of(place):
    return next(manifest.find(place).glob("database.*"))


def some_object(place):
    return next(path for path in (place / "objects").rglob("*") if path.is_file())


HARMS = [
    (lambda place: flip(some_object(place)), "is not whole: 1 problems"),
    (lambda place: some_object(place).unlink(), "is not whole: 1 problems"),
    (lambda place: flip(database_of(place)), "is not whole: 1 problems"),
    (lambda place: database_of(place).unlink(), "is not whole: 1 problems"),
    (lambda place: flip(manifest.find(place) / "manifest.json"), "not the one that this SECRET_KEY signed"),
    (lambda place: flip(manifest.find(place) / "manifest.json.hmac"), "not the one that this SECRET_KEY"),
    (lambda place: (manifest.find(place) / "manifest.json.hmac").unlink(), "holds no backup"),
]


def test_whatever_was_changed_in_a_backup_is_found_and_nothing_is_restored(place, house, empty_house):
    manage("backup", place)
    there = empty_house()
    for number, (harm, said) in enumerate(HARMS):
        copy = shutil.copytree(place, place.with_name(f"copy-{number}"))
        harm(copy)
        for command, options in (("backup", {"verify": True}), ("restore", {})):
            words = r"is not whole" if command == "restore" and "whole" in said else said
            with pytest.raises(CommandError, match=words) as found:
                manage(command, copy, **options)
            assert found.value.returncode == 1
        with connection.cursor() as cursor:
            assert connection.introspection.table_names(cursor) == []
        assert files_under(there.private) == {}
    manage("restore", place)


def test_a_manifest_edited_and_left_unsigned_is_refused_even_if_it_fits(place, house):
    """Somebody takes a file out of the backup and out of its manifest."""
    manage("backup", place)
    path = manifest.find(place) / "manifest.json"
    told = json.loads(path.read_text())
    gone = next(iter(told["private"]))
    del told["private"][gone]
    path.write_text(json.dumps(told))
    with pytest.raises(CommandError, match="not the one that this SECRET_KEY signed"):
        manage("backup", place, verify=True)


def test_a_lost_key_is_made_up_for_by_the_digest_that_was_printed(place, house, settings):
    said = manage("backup", place)
    digest = said.partition("sha256 is ")[2].split(".")[0]
    settings.SECRET_KEY = "another key, because the first was lost"
    with pytest.raises(CommandError, match="If the key is lost, pass --manifest"):
        manage("backup", place, verify=True)
    assert "is whole" in manage("backup", place, verify=True, manifest=digest)
    with pytest.raises(CommandError, match="doesn't have this sha256"):
        manage("backup", place, verify=True, manifest="0" * 64)
    settings.SECRET_KEY_FALLBACKS = ["tests-only-and-long-enough-to-be-accepted"]
    assert "is whole" in manage("backup", place, verify=True)


# --- Not made -------------------------------------------------------------------------------------


def refusal(place, **options) -> str:
    with pytest.raises(CommandError) as found:
        manage("backup", place, **options)
    assert found.value.returncode == 1
    assert not place.exists() or manifest.complete(place) == []
    return str(found.value)


def test_what_can_not_go_well_is_told_beforehand(place, house, settings, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(making, "RESERVE", 2**62)
        assert "MB free, and this backup needs" in refusal(place)
    assert "Put backups somewhere else" in refusal(settings.PRIVATE_STORE / "backups")
    with making._alone(place):
        assert "Another backup into" in refusal(place)
    if connection.vendor == "postgresql":
        monkeypatch.setenv("PATH", "/nowhere")
        assert "pg_dump isn't installed" in (told := refusal(place))
        assert "apt-get install postgresql-client" in told


def test_a_store_that_is_away_leaves_no_backup_and_what_was_copied(place, house, settings, a_bucket):
    from generation.addresses import Bucket

    here, settings.PRIVATE_STORE = settings.PRIVATE_STORE, Bucket("b-1", "", NOWHERE, "us-east-1")
    assert "Run it again: what was copied stays" in refusal(place)
    settings.PRIVATE_STORE = here
    manage("backup", place)
    assert [path.name for path in place.iterdir() if path.name == "unfinished"] == []


def test_a_journal_that_is_away_leaves_no_backup(place, house, settings):
    settings.JOURNAL.parent.mkdir(exist_ok=True, parents=True)
    shutil.rmtree(settings.JOURNAL, ignore_errors=True)
    settings.JOURNAL.write_text("a file where the folder should be")
    assert "only one that the journal knows can be restored" in refusal(place)


def test_there_is_nothing_to_verify_in_an_empty_folder(place):
    assert "holds no backup" in refusal(place, verify=True)
    assert refusal(place, keep=0) == "--keep must be 1 or more."


def test_a_backup_leaves_its_trace_in_the_journal(place, house):
    manage("backup", place)
    assert journal.knows_backup(manifest.find(place).name)
    assert not journal.knows_backup("2020-01-01T00-00-00.000000Z")
    gate.take_down(house, by=house.submission.artist)
    assert [act.subject for act in journal.read()] == [str(house.pk)]
