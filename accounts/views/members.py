"""Members as admins see them: the list, one member's page, and the acts on them."""

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import tasks, timeline, whereabouts
from ..member_forms import (
    AnswerForm,
    EndingForm,
    GrantForm,
    LiftForm,
    MemberSearch,
    MoveForm,
    RoleForm,
    SuspensionForm,
)
from ..models import Membership, allowance, exclusion, grants, roles
from ..paging import as_uuid, page
from ..permissions import (
    can_change_role,
    can_keep_out,
    check_can_run_program,
    requires,
)
from ..stepup import confirmed


@never_cache
@require_safe
@requires(check_can_run_program)
def members(request):
    search = MemberSearch(request.GET)
    search.is_valid()  # what can't be understood narrows nothing, and is marked in the form
    found = exclusion.with_standing().select_related("user", "cohort").order_by("-pk")
    if words := search.cleaned_data.get("q"):
        found = found.filter(Q(user__name__icontains=words) | Q(user__email__icontains=words))
    for name in ("role", "cohort", "standing"):
        if value := search.cleaned_data.get(name):
            found = found.filter(**{name: value})
    if after := Membership.objects.filter(user=as_uuid(request.GET.get("after"))).first():
        found = found.filter(pk__lt=after.pk)
    shown, older = page(found, request, key="user_id")
    context = {
        "members": shown,
        "older": older,
        "search": search,
        "is_narrowed": any(search.cleaned_data.values()),
    }
    return render(request, "accounts/members.html", context)


@never_cache
@require_safe
@requires(check_can_run_program)
def member(request, pk):
    return _page(request, _member(pk))


# --- Acts ------------------------------------------------------------------------------------------


@require_POST
@requires(check_can_run_program)
@confirmed
def member_role(request, pk):
    found, form = _member(pk), RoleForm(request.POST)

    def act(role):
        if roles.change_role(found, role, by=request.user):
            tasks.tell_of_standing(found.user, "role")
            return _("The role was changed. Their sessions have ended: they log in anew.")
        return _("They have this role already.")

    return _do(request, found, "role_form", form, act)


@require_POST
@requires(check_can_run_program)
@confirmed
def member_cohort(request, pk):
    found, form = _member(pk), MoveForm(request.POST)

    def act(cohort):
        if roles.move(found, cohort, by=request.user):
            return _("Moved to “%(cohort)s”.") % {"cohort": cohort.name}
        return _("They are in this cohort already.")

    return _do(request, found, "move_form", form, act)


@require_POST
@requires(check_can_run_program)
@confirmed
def member_allowance(request, pk):
    found, form = _member(pk), GrantForm(request.POST)

    def act(seconds, seen):
        grants.grant_extra(found, seconds, by=request.user, seen=seen)
        return _("Granted: %(seconds)s GPU seconds.") % {"seconds": f"{seconds:+}"}

    return _do(request, found, "grant_form", form, act)


@require_POST
@requires(check_can_run_program)
@confirmed
def member_suspension(request, pk):
    found, form = _member(pk), SuspensionForm(request.POST)

    def act(reason):
        was = _suspension_of(found)
        made = exclusion.suspend(found, by=request.user, reason=reason)
        if made.by_id == request.user.pk:
            if made != was:
                tasks.tell_of_standing(found.user, "suspended")
            return _(
                "Suspended. What they had waiting is cancelled, and they read your reason at their next click."
            )
        raise exclusion.Impossible(_("Another admin suspended them already. Your reason was not recorded."))

    return _do(request, found, "suspension_form", form, act)


@require_POST
@requires(check_can_run_program)
@confirmed
def member_lift(request, pk):
    found, form = _member(pk), LiftForm(request.POST)

    def act(reason):
        if suspension := _suspension_of(found):
            exclusion.lift(suspension, by=request.user, reason=reason)
            tasks.tell_of_standing(found.user, "lifted")
            return _("The suspension is lifted. They can log in and work again.")
        return _("No suspension is in force.")

    return _do(request, found, "lift_form", form, act)


@require_POST
@requires(check_can_run_program)
@confirmed
def member_answer(request, pk):
    found, form = _member(pk), AnswerForm(request.POST)

    def act(text):
        suspension = _suspension_of(found)
        if not hasattr(suspension, "objection"):
            raise exclusion.Impossible(_("There is no objection to answer."))
        is_first = not hasattr(suspension.objection, "answer")
        exclusion.answer(suspension.objection, by=request.user, text=text)
        if is_first:
            tasks.tell_of_standing(found.user, "answered")
        return _("Your answer stands on their page.")

    return _do(request, found, "answer_form", form, act)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def member_ending(request, pk):
    """A page of its own: what can't be undone asks to type whom it is about."""
    found = _member(pk)
    form = EndingForm(request.POST if request.method == "POST" else None, user=found.user)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            made = exclusion.end(found, by=request.user, reason=form.cleaned_data["reason"])
            if made.by_id != request.user.pk:
                raise exclusion.Impossible(
                    _("Another admin ended this membership already. Your reason was not recorded.")
                )
            if not hasattr(found, "ending"):
                tasks.tell_of_standing(found.user, "ended")
            messages.success(request, _("The membership has ended."))
            return redirect("member", found.user_id)
        except exclusion.Impossible as refusal:
            form.add_error(None, str(refusal))
            status = 409
    elif form.is_bound:
        status = 422
    context = {"member": found, "form": form, "can_end": can_keep_out(request.user, found)}
    return render(request, "accounts/member_ending.html", context, status=status)


def _do(request, found: Membership, name: str, form, act):
    """Acts and goes back to the page; a refusal shows the page again, with what was written still in the form."""
    status = 422
    if form.is_valid():
        try:
            messages.success(request, act(**form.cleaned_data))
            return redirect("member", found.user_id)
        except exclusion.Impossible as refusal:
            form.add_error(None, str(refusal))
            status = 409
    return _page(request, _member(found.user_id), status=status, **{name: form})


def _page(request, found: Membership, *, status: int = 200, **forms):
    suspension = _suspension_of(found)
    context = {
        "member": found,
        "events": timeline.events(found),
        "suspension": suspension,
        "objection": getattr(suspension, "objection", None),
        "left": allowance.left(found),
        "sessions": whereabouts.count_of(found.user),
        "can_change_role": can_change_role(request.user, found),
        "can_keep_out": can_keep_out(request.user, found),
        "is_refused": status == 409,
        "is_self": found.user_id == request.user.pk,
        "role_form": RoleForm(initial={"role": found.role}),
        "move_form": MoveForm(initial={"cohort": found.cohort_id}),
        "grant_form": GrantForm(initial={"seen": grants.latest(found)}),
        "suspension_form": SuspensionForm(),
        "lift_form": LiftForm(),
        "answer_form": AnswerForm(),
    }
    return render(request, "accounts/member.html", context | forms, status=status)


def _member(pk) -> Membership:
    related = ("user", "cohort", "ending__by", "invitation__invited_by")
    return get_object_or_404(exclusion.with_standing().select_related(*related), user=pk)


def _suspension_of(found: Membership):
    in_force = found.suspensions.in_force().select_related("by", "objection__answer__by")
    return in_force.first()
