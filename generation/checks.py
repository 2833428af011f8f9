"""What `manage.py check --deploy` asks of this app's part of a house: a key that readers of a clip will trust."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.checks import Error, Warning, register

from . import keys

SOON = timedelta(days=365)
HOW = "`manage.py provenance keys` makes a key; docs/operations.md says more."


@register(deploy=True)
def provenance(app_configs, **options):
    try:
        keys.anchors()
    except keys.KeysUnfit as error:
        return [
            Error(
                f"Nobody's word about a clip's origin can be trusted. {error}", hint=HOW, id="generation.E001"
            )
        ]
    if settings.C2PA_KEY is None:  # said so by this machine's operator
        return []
    try:
        ends = keys.expiry(keys.signing())
    except keys.KeysUnfit as error:
        return [Error(f"No clip can be signed. {error}", hint=HOW, id="generation.E002")]
    if ends - datetime.now(UTC) < SOON:
        return [
            Warning(
                f"The signing certificate expires on {ends:%Y-%m-%d}, and all that it signed turns invalid then.",
                hint=HOW,
                id="generation.W001",
            )
        ]
    return []
