"""The program's key: made once, readable by who needs it, judged before its use, and changed without losing trust."""

import io

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.core.management import CommandError, call_command

from generation import checks, keys, provenance
from generation.keys import KeysUnfit
from generation.provenance import Keys, ProvenanceError, State

from .certificates import DAY, NOW, issued, keep, pem
from .manifests import ORIGIN, PROJECT

# --- Made and found ----------------------------------------------------------------------------------


def test_a_key_is_for_its_owner_and_the_certificates_are_for_everybody(key_place):
    place = key_place()
    keys.make("A program")
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.iterdir()}
    assert modes == {"key.pem": 0o600, "certificates.pem": 0o644, "anchors.pem": 0o644}
    assert "PRIVATE" not in (place / "certificates.pem").read_text() + (place / "anchors.pem").read_text()


def test_what_is_signed_with_it_is_trusted_for_twenty_years(key_place):
    key_place()
    keys.make("A program")
    assert abs(keys.expiry(keys.signing()) - NOW - 20 * 365 * DAY) < DAY


def test_a_key_that_is_told_or_logged_shows_nothing_private():
    fit = keys.signing()
    assert fit.private_key not in repr(fit)
    assert "PRIVATE" not in repr(fit)


def test_the_anchors_are_certificates_whatever_else_lies_in_their_file(key_place):
    place = key_place()
    keys.make("A program")
    with (place / "anchors.pem").open("a") as file:
        file.write((place / "key.pem").read_text())
    assert "PRIVATE" in (place / "anchors.pem").read_text()
    assert "PRIVATE" not in keys.anchors()
    assert keys.anchors().count("BEGIN") == 1


def test_a_new_key_leaves_what_the_old_one_signed_trusted(key_place, bare_clip, tmp_path):
    key_place()
    for name in ("old.mp4", "new.mp4"):
        keys.make("A program")
        provenance.sign(bare_clip, tmp_path / name, ORIGIN, keys.signing())
    states = [provenance.read(tmp_path / name, keys.anchors()).state for name in ("old.mp4", "new.mp4")]
    assert states == [State.TRUSTED, State.TRUSTED]


def test_after_a_theft_what_the_old_key_signed_is_trusted_no_longer(key_place, bare_clip, tmp_path):
    key_place()
    for name in ("old.mp4", "new.mp4"):
        keys.make("A program", keeps_earlier=False)
        provenance.sign(bare_clip, tmp_path / name, ORIGIN, keys.signing())
    states = [provenance.read(tmp_path / name, keys.anchors()).state for name in ("old.mp4", "new.mp4")]
    assert states == [State.VALID, State.TRUSTED]


def test_nothing_else_can_be_issued_by_an_anchor(key_place, bare_clip, tmp_path):
    """Its private key is forgotten; and what the leaf's key issues, no reader trusts."""
    key_place()
    keys.make("A program")
    mine = keys.signing()
    leaf, _root = x509.load_pem_x509_certificates(mine.certificates.encode())
    key, pem = issued(issuer=leaf, issuer_key=load_pem_private_key(mine.private_key.encode(), None))
    forged = Keys(certificates=pem + mine.certificates, private_key=key, anchors=mine.anchors)
    with pytest.raises(ProvenanceError):
        provenance.sign(bare_clip, tmp_path / "forged.mp4", ORIGIN, forged)
    assert list(tmp_path.glob("*.mp4")) == []


# --- Unfit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["key.pem", "certificates.pem", "anchors.pem"])
@pytest.mark.parametrize("trouble", ["missing", "not text", "no PEM"])
def test_a_bad_file_is_named_in_one_sentence(key_place, name, trouble):
    place = key_place()
    keys.make("A program")
    (place / name).unlink()
    if trouble != "missing":
        (place / name).write_bytes(b"\xff\xfe" if trouble == "not text" else b"hello\n")
        (place / name).chmod(0o600)
    with pytest.raises(KeysUnfit) as refusal:
        keys.signing()
    sentence = str(refusal.value)
    told = {"key.pem": "private key", "certificates.pem": "certificate chain", "anchors.pem": "anchor file"}
    assert told[name] in sentence if trouble == "no PEM" else str(place / name) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_key_that_everybody_can_read_is_refused(key_place):
    place = key_place()
    keys.make("A program")
    (place / "key.pem").chmod(0o640)  # a group of its own may read it
    keys.signing()
    (place / "key.pem").chmod(0o644)
    with pytest.raises(KeysUnfit, match="Everybody on this machine can read the private key"):
        keys.signing()


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"ends": NOW - DAY}, "The signing certificate expired on "),
        ({"begins": NOW + DAY}, "The signing certificate isn't valid before "),
        ({"extended": None}, "extendedKeyUsage emailProtection"),
        ({"extended": ExtendedKeyUsageOID.SERVER_AUTH}, "extendedKeyUsage emailProtection"),
        ({"signs": False}, "keyUsage digitalSignature"),
        ({"is_authority": True}, "CA:FALSE"),
        ({"key": ec.generate_private_key(ec.SECP384R1())}, "not of the curve P-256"),
        ({"key": rsa.generate_private_key(65537, 2048)}, "not of the curve P-256"),
        ({"issuer_key": ec.generate_private_key(ec.SECP256R1())}, "leads to none of the anchors"),
        ({"issuer": None}, "leads to none of the anchors"),
        ({"locked": True}, "without a password"),
    ],
    ids=lambda told: next(iter(told)) if isinstance(told, dict) else "",
)
def test_an_unfit_certificate_is_refused_with_its_reason(authority, key_place, changes, sentence):
    root, root_key = authority
    keep(key_place(), *issued(**({"issuer": root, "issuer_key": root_key} | changes)), anchors=pem(root))
    with pytest.raises(KeysUnfit) as refusal:
        keys.signing()
    assert sentence in str(refusal.value)


def test_a_certificate_by_ones_own_authority_is_fit(authority, key_place, bare_clip, tmp_path):
    root, root_key = authority
    keep(key_place(), *issued(issuer=root, issuer_key=root_key), anchors=pem(root))
    provenance.sign(bare_clip, tmp_path / "a.mp4", ORIGIN, keys.signing())
    assert provenance.read(tmp_path / "a.mp4", keys.anchors()).signer == "A leaf"


def test_a_chain_in_disorder_and_anothers_key_are_refused(authority, key_place):
    root, root_key = authority
    key, leaf = issued(issuer=root, issuer_key=root_key)
    place = key_place()
    keep(place, key, pem(root) + leaf, anchors=pem(root))
    with pytest.raises(KeysUnfit, match="doesn't belong to the first certificate"):
        keys.signing()
    keep(place, key, leaf + leaf, anchors=pem(root))
    with pytest.raises(KeysUnfit, match="aren't in order"):
        keys.signing()


def test_an_expired_certificate_signs_nothing_even_where_nobody_judged_it(authority, bare_clip, tmp_path):
    root, root_key = authority
    key, leaf = issued(issuer=root, issuer_key=root_key, ends=NOW - DAY)
    with pytest.raises(ProvenanceError):
        provenance.sign(bare_clip, tmp_path / "late.mp4", ORIGIN, Keys(leaf, key, pem(root)))
    assert list(tmp_path.iterdir()) == []


# --- The operator's side -----------------------------------------------------------------------------


def test_the_command_makes_a_key_once_and_replaces_it_when_told(key_place):
    key_place()
    said = _manage("keys", "--name", "A program")
    assert said.startswith("Workers on this machine can sign, until ")
    made = keys.signing()
    with pytest.raises(CommandError, match="There is a key"):
        _manage("keys", "--name", "A program")
    assert keys.signing() == made
    _manage("keys", "--name", "A program", "--replace")
    assert keys.signing().private_key != made.private_key
    assert made.anchors in keys.anchors()
    _manage("keys", "--name", "A program", "--replace", "--distrust-earlier")
    assert keys.anchors().count("BEGIN") == 1
    assert _manage("check").startswith("Workers on this machine can sign, until ")


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "two\nlines"])
def test_a_key_without_a_proper_name_is_not_made(key_place, name):
    place = key_place()
    with pytest.raises(CommandError):
        _manage("keys", "--name", name)
    assert not place.exists()


def test_the_command_says_what_is_wrong(key_place):
    key_place()
    with pytest.raises(CommandError, match=r"needs the file .*certificates\.pem: No such file"):
        _manage("check")


def test_where_nothing_is_to_be_signed_no_key_is_made_or_missed(settings, key_place):
    key_place()
    keys.make("A program")
    settings.C2PA_KEY = None
    with pytest.raises(CommandError, match="set to sign nothing"):
        _manage("keys", "--name", "A program", "--replace")
    with pytest.raises(KeysUnfit, match="set to sign nothing"):
        keys.signing()
    assert checks.provenance(None) == []


def test_the_demo_makes_a_plainly_named_key_at_its_first_start_and_keeps_it(key_place, bare_clip, tmp_path):
    key_place()
    keys.make_for_demo()
    first = keys.signing()
    keys.make_for_demo()
    assert keys.signing() == first
    provenance.sign(bare_clip, tmp_path / "a.mp4", ORIGIN, first)
    read = provenance.read(tmp_path / "a.mp4", keys.anchors())
    assert read.signer == "sorahub demo – not trusted outside this installation"


def test_a_check_before_going_public_misses_the_key(authority, key_place):
    place = key_place()
    assert [found.id for found in checks.provenance(None)] == ["generation.E001"]
    keys.make("A program")
    assert checks.provenance(None) == []
    (place / "key.pem").unlink()
    assert [found.id for found in checks.provenance(None)] == ["generation.E002"]
    root, root_key = authority
    keep(place, *issued(issuer=root, issuer_key=root_key, ends=NOW + 100 * DAY), anchors=pem(root))
    (warning,) = checks.provenance(None)
    assert warning.id == "generation.W001"
    assert f"{NOW + 100 * DAY:%Y-%m-%d}" in warning.msg


def test_in_production_only_the_desks_worker_can_see_the_key():
    units = {path.name: path.read_text() for path in (PROJECT / "deploy" / "systemd").glob("*.service")}
    hidden = {
        name
        for name, text in units.items()
        if "InaccessiblePaths=-/var/lib/sorahub/provenance/key.pem" in text
    }
    assert set(units) - hidden == {"sorahub-desk.service"}


def test_anybody_may_have_the_anchors_and_they_are_not_kept_in_caches(client):
    answer = client.get("/verify/anchors.pem")
    assert answer.content.decode() == keys.anchors()
    assert answer["Content-Type"] == "application/x-pem-file"
    assert "no-store" in answer["Cache-Control"]


def test_without_keys_pages_are_served_as_ever(client, db, key_place):
    key_place()
    assert client.get("/verify/anchors.pem").status_code == 404
    assert client.get("/").status_code == 200


def _manage(*arguments) -> str:
    said = io.StringIO()
    call_command("provenance", *arguments, stdout=said)
    return said.getvalue()
