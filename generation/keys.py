"""The program's own key, with which workers say "generated": made, found by the settings, and judged fit; what is said
with it is written in provenance.

Read anew for each use, so that a key that was changed or taken away counts at once. The web reads only the anchors.
"""

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from django.conf import settings

from .provenance import EMAIL_PROTECTION, Keys, ProvenanceError

DEMO_NAME = "sorahub demo – not trusted outside this installation"
LIFETIME = timedelta(days=20 * 365)  # a file turns invalid when the certificate that signed it expires
LONGEST_NAME = 64  # characters, as X.509 has it
CLOCKS = timedelta(hours=1)  # that another machine's clock may be behind


class KeysUnfit(ProvenanceError):
    """The key or a certificate is missing or can't be used; the sentence says which file and why."""


def signing() -> Keys:
    """For workers. Raises KeysUnfit with a sentence that names the file to look at."""
    private = settings.C2PA_KEY
    if private is None:
        raise KeysUnfit("This machine is set to sign nothing: SORAHUB_C2PA_KEY is none.")
    keys = Keys(
        certificates=_read(settings.C2PA_CERTIFICATES, "SORAHUB_C2PA_CERTIFICATES"),
        private_key=_read(private, "SORAHUB_C2PA_KEY"),
        anchors=anchors(),
    )
    if private.stat().st_mode & 0o007:
        raise KeysUnfit(f"Everybody on this machine can read the private key {private}: chmod 600 it.")
    check(keys)
    return keys


def anchors() -> str:
    """Whom readers trust, as PEM: the present key's anchor, and those of earlier ones that still count.

    Certificates and nothing else: this is shown to strangers, whatever else lies in the file by mistake.
    """
    told = _read(settings.C2PA_ANCHORS, "SORAHUB_C2PA_ANCHORS")
    return "".join(map(_pem, _certificates(told, "anchor file")))


def check(keys: Keys) -> None:
    """Raises KeysUnfit with what is wrong, before the library says it in words of its own."""
    chain, anchors = (
        _certificates(keys.certificates, "certificate chain"),
        _certificates(keys.anchors, "anchor file"),
    )
    _check_key(keys.private_key, chain[0])
    _check_leaf(chain[0])
    _check_chain(chain, anchors)


def expiry(keys: Keys) -> datetime:
    """When what these keys sign turns invalid: there is no timestamp of a third party that would outlast them."""
    return min(certificate.not_valid_after_utc for certificate in _certificates(keys.certificates, "chain"))


def make(name: str, *, keeps_earlier: bool = True) -> None:
    """A key pair under an authority of its own, whose private key is forgotten here: nothing else can be issued by it.

    Replaces the key. The anchor is added to those that are there, so that what was signed before stays trusted;
    without `keeps_earlier` it no longer is. `name` is read by everybody who looks at a clip.
    """
    if settings.C2PA_KEY is None:
        raise KeysUnfit("This machine is set to sign nothing: SORAHUB_C2PA_KEY is none.")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise KeysUnfit(f"A name in a certificate has 1 to {LONGEST_NAME} printable characters.")
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("anchor", name, root_key, issuer=None, issuer_key=root_key)
    leaf = _certificate("generated", name, key, issuer=root, issuer_key=root_key)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    earlier = anchors() if keeps_earlier and settings.C2PA_ANCHORS.exists() else ""
    # Anchor first: a worker that signs in between would otherwise make files that no reader trusts.
    _write(settings.C2PA_ANCHORS, _pem(root) + earlier, mode=0o644)
    _write(settings.C2PA_CERTIFICATES, _pem(leaf) + _pem(root), mode=0o644)
    _write(settings.C2PA_KEY, private, mode=0o600)


def make_for_demo() -> None:
    if not settings.C2PA_KEY.exists():
        make(DEMO_NAME)


# --- Making ------------------------------------------------------------------------------------------


def _certificate(title, organization, key, *, issuer, issuer_key) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, title),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        ]
    )
    now, is_root = datetime.now(UTC), issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if is_root else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_usage(signs_certificates=is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([EMAIL_PROTECTION]), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise KeysUnfit(f"{setting} needs the file {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise KeysUnfit(f"{setting} names {path}, which is no PEM file.") from None


def _write(path: Path, text: str, *, mode: int) -> None:
    """Whole or not at all, and never readable by more people than `mode` says, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


# --- Judging -----------------------------------------------------------------------------------------


def _certificates(pem: str, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise KeysUnfit(f"The {name} holds no certificate in PEM.") from None


def _check_key(pem: str, leaf: x509.Certificate) -> None:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: locked by a password
        raise KeysUnfit("The private key is not a PEM file without a password.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysUnfit("The private key is not of the curve P-256.")
    if key.public_key() != leaf.public_key():
        raise KeysUnfit("The private key doesn't belong to the first certificate of the chain.")


def _check_leaf(leaf: x509.Certificate) -> None:
    now = datetime.now(UTC)
    if now < leaf.not_valid_before_utc:
        raise KeysUnfit(f"The signing certificate isn't valid before {leaf.not_valid_before_utc:%Y-%m-%d}.")
    if now > leaf.not_valid_after_utc:
        raise KeysUnfit(f"The signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}.")
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is None or constraints.ca:
        raise KeysUnfit("The signing certificate must say that it is no authority (CA:FALSE).")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise KeysUnfit("The signing certificate must be for digital signatures (keyUsage digitalSignature).")
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    if extended is None or EMAIL_PROTECTION not in extended:
        raise KeysUnfit(
            "The signing certificate lacks the use that C2PA asks for (extendedKeyUsage emailProtection)."
        )


def _extension(certificate: x509.Certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _check_chain(chain: list[x509.Certificate], anchors: list[x509.Certificate]) -> None:
    for certificate, issuer in pairwise(chain):
        if not _issued(certificate, issuer):
            raise KeysUnfit("The certificates of the chain aren't in order: each must be issued by the next.")
    if chain[0] == chain[-1] and _issued(chain[0], chain[0]):
        raise KeysUnfit(
            "The signing certificate is signed by itself: C2PA asks for one that an authority issued."
        )
    if not any(chain[-1] == anchor or _issued(chain[-1], anchor) for anchor in anchors):
        raise KeysUnfit("The signing certificate leads to none of the anchors, so no reader would trust it.")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
