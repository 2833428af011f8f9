"""Inviting people: one by a form, many by a list that is tried dry first."""

from django.contrib import messages
from django.db import IntegrityError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from .. import tasks
from ..inviting import mailing, plans
from ..inviting.forms import InviteForm, RosterForm
from ..models import Cohort, Invitation
from ..models.invitation import link_with, new_key
from ..permissions import check_can_invite, requires
from ..stepup import confirmed

PROBLEMS_SHOWN, PEOPLE_SHOWN = 200, 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_invite)
def invite_one(request):
    return _invite_one(request) if request.method == "POST" else _one(request, InviteForm())


@confirmed
def _invite_one(request):
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _one(request, form, status=422)
    earlier = Invitation.objects.filter(batch=form.batch).first()
    if earlier:
        messages.info(
            request, _("%(email)s was invited already, by this very form.") % {"email": earlier.email}
        )
        return redirect("program_invitation", earlier.pk)
    plan = form.plan()
    if plan.problems:
        form.add_error("email", plan.problems[0].sentence)
        earlier = Invitation.objects.open().filter(email=plan.problems[0].written).first()
        return _one(request, form, status=409, earlier=earlier)
    try:
        key = new_key() if form.cleaned_data["delivery"] == InviteForm.LINK else None
        (made,) = plans.invite_all(plan, by=request.user, lifetime=form.lifetime, batch=form.batch, key=key)
    except IntegrityError:
        form.add_error("email", _("Somebody invited this address at the same moment. Look at the list."))
        return _one(request, form, status=409)
    if key:  # in the answer itself: written into a session or an address, it would lie somewhere
        return render(request, "accounts/invitation_link.html", {"invitation": made, "link": link_with(key)})
    tasks.mail_invitations()
    messages.success(request, _("%(email)s is invited; the mail is on its way.") % {"email": made.email})
    return redirect("program_invitation", made.pk)


def _one(request, form, status=200, earlier=None):
    return render(request, "accounts/invite_one.html", {"form": form, "earlier": earlier}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_invite)
def invite_many(request):
    """The list, and its dry run: posting here changes nothing."""
    if request.method != "POST":
        return _many(request, RosterForm())
    form = RosterForm(request.POST, request.FILES)
    if not form.is_valid():
        return _many(request, form, status=422)
    return _dry_run(request, form, plans.plan(form.roster))


@never_cache
@require_POST
@requires(check_can_invite)
def batches(request):
    """Invites the people whom the dry run showed, or shows it again where anything has changed since."""
    if request.FILES.get("file"):  # chosen after the dry run, so nobody has seen what is in it
        form = RosterForm(request.POST, request.FILES)
        if form.is_valid():
            return _dry_run(request, form, plans.plan(form.roster), has_changed=True)
        return _many(request, form, status=422)
    return _batches(request)


@confirmed
def _batches(request):
    form = RosterForm(request.POST)
    if not form.is_valid():
        return _many(request, form, status=422)
    if Invitation.objects.filter(batch=form.batch).exists():
        messages.info(request, _("This list was sent already: nobody is invited twice."))
        return _to_batch(form.batch)
    plan = plans.plan(form.roster)
    if not plan.people or plan.digest != form.cleaned_data["seen"]:
        return _dry_run(request, form, plan, has_changed=True)
    try:
        made = plans.invite_all(plan, by=request.user, lifetime=form.lifetime, batch=form.batch)
    except IntegrityError:
        if Invitation.objects.filter(batch=form.batch).exists():  # a double click, at the same moment
            return _to_batch(form.batch)
        return _dry_run(request, form, plans.plan(form.roster), has_changed=True)
    tasks.mail_invitations()
    said = ngettext(
        "%(count)s person is invited; the mail is on its way.",
        "%(count)s people are invited; the mails are on their way.",
        len(made),
    )
    messages.success(request, said % {"count": len(made)})
    return _to_batch(form.batch)


def _to_batch(batch):
    return redirect(f"{reverse('program_invitations')}?batch={batch}")


def _many(request, form, status=200):
    return render(request, "accounts/invite_many.html", {"form": form}, status=status)


def _dry_run(request, form, plan, *, has_changed=False):
    """What would be sent and what is wrong, over the same list, still open to be mended."""
    form = form.with_seen(plan.digest)
    context = {
        "form": form,
        "plan": plan,
        "remarks": (*form.remarks, *plan.remarks),
        "problems": plan.problems[:PROBLEMS_SHOWN],
        "problems_left": len(plan.problems) - PROBLEMS_SHOWN,
        "people": plan.people[:PEOPLE_SHOWN],
        "people_left": len(plan.people) - PEOPLE_SHOWN,
        "has_changed": has_changed,
        "sample": _sample(request, form, plan),
    }
    status = 409 if has_changed else 422 if plan.problems else 200
    return render(request, "accounts/invite_many.html", context, status=status)


def _sample(request, form, plan):
    """The first person's mail, with a link that isn't one yet."""
    if not plan.people:
        return None
    first = plan.people[0]
    unsaved = Invitation(
        email=first.email,
        role=first.role,
        cohort=Cohort(name=first.cohort),
        note=first.note,
        invited_by=request.user,
        expires_at=timezone.now() + form.lifetime,
    )
    return mailing.letter(unsaved, _("(the link stands here)"))
