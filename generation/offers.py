"""Which models the program offers: those whose weights are here, and whose license was acknowledged if it asks so.

The catalog knows the models, and the engine what it can run; what an admin has agreed to is in the database.
"""

from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.models.exclusion import check_runs_program

from .engine import catalog, weights
from .models import Acknowledgement


class NotAcknowledged(Exception):
    """A license that can't be acknowledged now, or has not been; says why in a sentence."""


def offered() -> tuple[catalog.Model, ...]:
    """The models that members can be offered, the default first. Asks the database only where a license asks."""
    models = catalog.offered()
    asking = [model for model in models if model.license.asks]
    missing = {model.id for model in asking} - set(acknowledgements(asking))
    return tuple(model for model in models if model.id not in missing)


def offered_to(cohort) -> tuple[catalog.Model, ...]:
    """Those of them that members of the cohort may use."""
    return tuple(model for model in offered() if cohort.offers(model.id))


def is_offered(model_id: str) -> bool:
    """False for a model whose license nobody has acknowledged; whether its weights are here, the catalog checks."""
    model = catalog.CATALOG.get(model_id)
    return model is None or not model.license.asks or bool(acknowledgements([model]))


def acknowledgements(models) -> dict[str, Acknowledgement]:
    """By model, of each license as it reads now; one query, and none if there is nothing to look for."""
    wanted = {model.id: _wording(model) for model in models if model.license.asks}
    if not wanted:
        return {}
    found = Acknowledgement.objects.filter(model__in=wanted).select_related("by")
    return {each.model: each for each in found if (each.license, each.text_sha256) == wanted[each.model]}


def digest_of_text(model: catalog.Model) -> str:
    """Names the license that lies beside the weights; "" if none does."""
    text = weights.license_text(model.weights)
    return sha256(text.encode()).hexdigest() if text else ""


@transaction.atomic
def acknowledge(model: catalog.Model, *, by, shown: str) -> Acknowledgement:
    """`shown` is the digest of the text that was read. Twice is as good as once."""
    audit.lock()
    check_runs_program(by)
    if not model.license.asks:
        raise NotAcknowledged(_("This license asks for no acknowledgement."))
    if not model.available():
        raise NotAcknowledged(_("Its weights are not here yet, and its license comes with them."))
    name, text_sha256 = _wording(model)
    if shown != text_sha256:
        raise NotAcknowledged(
            _("The license beside the weights is another one by now. Please read it again.")
        )
    made, is_new = Acknowledgement.objects.get_or_create(
        model=model.id,
        license=name,
        text_sha256=text_sha256,
        defaults={"asks": model.license.asks, "by": by},
    )
    if is_new:
        audit.record("model.license_acknowledged", by=by, subject=made, words=f"{model.name}: {name}")
    return made


def _wording(model: catalog.Model) -> tuple[str, str]:
    return model.license.name, digest_of_text(model)
