"""Keys and certificates as an operator's own authority would make them, well or badly."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def authority():
    """A root of an operator's own: its certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    _, pem = issued(
        issuer=None, issuer_key=key, key=key, is_authority=True, name="An authority", extended=None
    )
    return x509.load_pem_x509_certificate(pem.encode()), key


def issued(
    *,
    issuer,
    issuer_key,
    key=None,
    begins=NOW - DAY,
    ends=NOW + 3650 * DAY,
    extended=ExtendedKeyUsageOID.EMAIL_PROTECTION,
    signs=True,
    is_authority=False,
    locked=False,
    name="A leaf",
) -> tuple[str, str]:
    """A private key and a certificate, both in PEM."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
    begins = min(begins, ends - DAY)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(signs and not is_authority, is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=True)
    lock = BestAvailableEncryption(b"secret") if locked else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return private.decode(), pem(builder.sign(issuer_key, hashes.SHA256()))


def _usage(signs, issues) -> x509.KeyUsage:
    others = ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    return x509.KeyUsage(
        digital_signature=signs,
        key_encipherment=not signs and not issues,
        key_cert_sign=issues,
        crl_sign=issues,
        **dict.fromkeys(others, False),
    )


def pem(certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def keep(place, key: str, chain: str, *, anchors: str) -> None:
    with suppress(FileExistsError):
        place.mkdir()
    for name, content in (("key.pem", key), ("certificates.pem", chain), ("anchors.pem", anchors)):
        (place / name).write_text(content)
        os.chmod(place / name, 0o600)
