"""Says in a clip's own bytes, by C2PA, which model made it, and reads what a file says of itself; where the program's
keys lie and what is released, others know.

No Django here: the child that opens strangers' files imports this too. And c2pa (10 MB) is loaded by those who read or
sign alone, not by web processes, which only want to know whether the keys are fit.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from cryptography.x509.oid import ExtendedKeyUsageOID

MP4 = "video/mp4"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SUBMISSION = "org.sorahub.submission"
TRAINING = "cawg.training-mining"
CLIP_TITLE, IMAGE_TITLE = "Generated clip", "Image"  # generic: real names may be private
MANIFEST_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # the uuid of the MP4 box that C2PA lies in
BLOCK = 1024 * 1024  # bytes
LONGEST = 200  # characters of anything that a file tells about itself
EMAIL_PROTECTION = ExtendedKeyUsageOID.EMAIL_PROTECTION  # C2PA's rule for whoever has no usage of its own

NOT_SIGNED = "The clip's origin could not be written into its file."


class ProvenanceError(Exception):
    """A file could not be signed. The first argument is a sentence for people; `detail` is for the log."""

    def __init__(self, sentence: str, detail: str = ""):
        super().__init__(sentence)
        self.sentence, self.detail = sentence, detail


@dataclass(frozen=True)
class Origin:
    """All that a public file says about how it came to be. Nothing else about the work goes into it."""

    model: str
    revision: str
    submission: str  # the public id of the submission that first froze these files
    has_image: bool = False  # an image was given to the model; which one isn't said
    allows_training: bool = False  # the artist consents that models learn from this work


class State(StrEnum):
    TRUSTED = "trusted"  # signed by this program, and unchanged since
    VALID = "valid"  # signed by somebody else, and unchanged since
    INVALID = "invalid"  # changed since, or no manifest that can be read


@dataclass(frozen=True)
class Manifest:
    """What a file says of itself. Believe it where the state is trusted; else it is only what somebody wrote."""

    state: State
    is_ours: bool = False  # the program signed this manifest, even if the file was changed since
    signer: str = ""
    model: str = ""
    revision: str = ""
    submission: str = ""
    has_image: bool = False
    allows_training: bool = False


@dataclass(frozen=True)
class Keys:
    """What signing needs, as PEM: the chain with the leaf first, its private key, and whom readers trust."""

    certificates: str
    private_key: str = field(repr=False)
    anchors: str


def sign(video: Path, out: Path, origin: Origin, keys: Keys) -> None:
    """Write the MP4 `video` to `out` with its origin in it. The last step: whoever remuxes the file strips it.

    `out` appears whole, or not at all; `video` is only read. Raises ProvenanceError. The bytes differ from one
    signing to the next (random ids and the signature's nonce); what surrounds the manifest doesn't.
    """
    if out.exists() and out.samefile(video):  # the library would truncate it, then fail
        raise ProvenanceError(NOT_SIGNED, detail="source and destination are the same file")
    part = out.with_name(f".{out.name}.part")
    try:
        _sign(video, part, origin, keys)
        # Nothing leaves that our own reader wouldn't trust.
        manifest = read(part, keys.anchors)
        if manifest is None or manifest.state != State.TRUSTED:
            raise ProvenanceError(NOT_SIGNED, detail=f"read back: {manifest and manifest.state}")
        _sync(part)
        part.replace(out)
        _sync(out.parent)
    except OSError as error:
        raise ProvenanceError(NOT_SIGNED, detail=f"{type(error).__name__}: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def read(path: Path, anchors: str) -> Manifest | None:
    """What the MP4 at `path` says of itself, judged by `anchors` (PEM); None where it says nothing.

    The file may be anybody's, so a caller bounds time and memory from outside. Nothing is fetched.
    """
    with path.open("rb") as file:
        return read_from(file, anchors)


def read_from(file: BinaryIO, anchors: str) -> Manifest | None:
    """As `read`, of a file that is open: a child that may open none has no path to give."""
    import c2pa

    if file.read(8)[4:] != b"ftyp":  # the library knows fifty formats; we sign one, and open no other
        return None
    file.seek(0)
    try:
        with (
            c2pa.Context.from_dict(_settings(anchors)) as context,
            c2pa.Reader(MP4, file, context=context) as reader,
        ):
            return _told(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError, LookupError, TypeError):  # the last three: a report of another shape
        return Manifest(State.INVALID) if _holds_manifest(file) else None


# --- Writing -----------------------------------------------------------------------------------------


def _sign(video: Path, part: Path, origin: Origin, keys: Keys) -> None:
    import c2pa

    try:
        info = c2pa.C2paSignerInfo(b"es256", keys.certificates.encode(), keys.private_key.encode(), None)
        with (
            c2pa.Context.from_dict(_settings(keys.anchors)) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(_manifest(origin)), context=context) as builder,
            video.open("rb") as source,
            part.open("w+b") as target,
        ):
            builder.sign(signer, MP4, source, target)
    except c2pa.C2paError as error:
        raise ProvenanceError(NOT_SIGNED, detail=f"{type(error).__name__}: {error}") from error


def _manifest(origin: Origin) -> dict:
    agent = {"name": origin.model} | ({"version": origin.revision} if origin.revision else {})
    created = {"action": "c2pa.created", "digitalSourceType": GENERATED, "softwareAgent": agent}
    learning = "allowed" if origin.allows_training else "notAllowed"
    manifest = {
        "claim_version": 2,
        "claim_generator_info": [{"name": "sorahub"}],
        "title": CLIP_TITLE,
        "assertions": [
            _assertion("c2pa.actions.v2", actions=[created]),
            _assertion(
                TRAINING,
                entries={
                    "cawg.ai_generative_training": {"use": learning},
                    "cawg.ai_training": {"use": learning},
                    # Consent to training is consent to nothing else.
                    "cawg.ai_inference": {"use": "notAllowed"},
                    "cawg.data_mining": {"use": "notAllowed"},
                },
            ),
            _assertion(SUBMISSION, id=origin.submission),
        ],
    }
    if origin.has_image:
        # Named without its bytes, thumbnail, hash or name: a hash alone would let a guesser confirm the image.
        manifest["ingredients"] = [{"title": IMAGE_TITLE, "relationship": "inputTo", "label": "image"}]
        created["parameters"] = {"ingredientIds": ["image"]}
    return manifest


def _assertion(label: str, **data) -> dict:
    return {"label": label, "data": data, "created": True}  # said by the signer, not gathered elsewhere


def _settings(anchors: str) -> dict:
    return {
        "version": 1,
        "trust": {
            "trust_config": f"{EMAIL_PROTECTION.dotted_string}\n",
            **({"trust_anchors": anchors} if anchors else {}),  # whoever has none trusts nobody
        },
        "verify": {
            "verify_trust": True,
            "verify_after_reading": True,
            "verify_after_sign": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "core": {"allowed_network_hosts": [], "max_decompressed_manifest_size_in_mb": 4},
        "builder": {
            "thumbnail": {"enabled": False},
            # What was done is written by hand above; the library must add nothing to it.
            "actions": {f"auto_{act}_action": {"enabled": False} for act in ("created", "opened", "placed")},
        },
    }


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- Reading -----------------------------------------------------------------------------------------


def _told(report: dict) -> Manifest:
    state = State(report["validation_state"].lower())
    is_ours = _is_ours(report["validation_results"]["activeManifest"])
    if state == State.INVALID and not is_ours:
        return Manifest(state)  # whoever can't be told from a forger is not quoted
    manifest = report["manifests"][report["active_manifest"]]
    told = {assertion["label"]: assertion.get("data") for assertion in manifest["assertions"]}
    agent = _first_action(told).get("softwareAgent")
    agent = agent if isinstance(agent, dict) else {"name": agent}
    return Manifest(
        state,
        is_ours=is_ours,
        signer=_text(_table(manifest.get("signature_info")).get("issuer")),
        model=_text(agent.get("name")),
        revision=_text(agent.get("version")),
        submission=_text(_table(told.get(SUBMISSION)).get("id")),
        has_image=bool(manifest.get("ingredients")),
        allows_training=_allows_training(_table(told.get(TRAINING))),
    )


def _is_ours(results: dict) -> bool:
    """The signature is the program's and covers these very words; only the picture's bytes may differ."""
    signed = {entry["code"] for entry in results["success"]}
    wrong = {entry["code"] for entry in results["failure"]}
    return {"signingCredential.trusted", "claimSignature.validated"} <= signed and wrong <= {
        "assertion.bmffHash.mismatch"
    }


def _first_action(told: dict) -> dict:
    actions = _table(told.get("c2pa.actions.v2") or told.get("c2pa.actions")).get("actions")
    return _table(actions[0]) if isinstance(actions, list) and actions else {}


def _allows_training(training: dict) -> bool:
    entry = _table(_table(training.get("entries")).get("cawg.ai_generative_training"))
    return entry.get("use") == "allowed"


def _table(value) -> dict:
    return value if isinstance(value, dict) else {}


def _text(value) -> str:
    """Printable and short, whatever a stranger wrote there."""
    return "".join(c for c in value if c.isprintable())[:LONGEST] if isinstance(value, str) else ""


def _holds_manifest(file: BinaryIO) -> bool:
    file.seek(0)
    end = b""
    while block := file.read(BLOCK):
        if MANIFEST_BOX in end + block:
            return True
        end = block[1 - len(MANIFEST_BOX) :]
    return False
