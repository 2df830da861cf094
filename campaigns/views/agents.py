"""The pages about agents: list, form with preview, and what may be done to one."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls import messages as spoken
from calls.actions.hearing import can_speak
from calls.actions.own_phone import call_own_phone
from calls.actions.scheduling import CallRequest
from calls.forms import OwnPhoneForm
from calls.models import Call
from calls.scripts import script_for
from calls.views.hearing import sound_of, untold
from campaigns.actions.agents import archive_agent, duplicate_agent, get_agent, make_default, save_agent
from campaigns.forms import Draft, Editor, apply, content_of, draft_of, read_draft
from campaigns.models import Agent, AgentVersion
from campaigns.states import OVER
from contacts.models import Contact
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import DomainError, Invalid
from temphone.pages import StaffRequest, dialog, page
from temphone.telephony.messages import Script

FOUND = 8
FORM = "agent-form"
EXAMPLE = 'Hi {{ first_name | default: "there" }}, this is about your appointment tomorrow at nine.'


@page
@require_safe
def agent_list(request: StaffRequest) -> HttpResponse:
    """All agents that are offered."""
    request.user.actor().require(Role.MANAGER)
    in_use = Count("campaigns", filter=~Q(campaigns__status__in=OVER))
    agents = Agent.objects.present().annotate(campaign_count=in_use).order_by("-is_default", "name", "id")
    current = AgentVersion.objects.speaking([agent.pk for agent in agents])
    rows = [{"agent": agent, "version": current[agent.pk]} for agent in agents]
    return render(request, "campaigns/agents.html", {"rows": rows})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def agent_new(request: StaffRequest) -> HttpResponse:
    """A new agent; it begins as what an agent says that nobody has edited."""
    request.user.actor().require(Role.MANAGER)
    return _edit(request, None, draft_of(AgentVersion(name="")))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def agent_edit(request: StaffRequest, agent_id: str) -> HttpResponse:
    """An agent, and its next version."""
    request.user.actor().require(Role.MANAGER)
    agent = get_agent(agent_id)
    return _edit(request, agent, draft_of(agent.current))


def _edit(request: StaffRequest, agent: Agent | None, draft: Draft) -> HttpResponse:
    """The form. Its buttons change the draft, which is shown again; only Save saves it."""
    if request.method != "POST":
        return _show(request, agent, Editor(draft))
    draft = read_draft(request.POST)
    if "do" in request.POST:
        apply(draft, request.POST["do"])
        return _show(request, agent, Editor(draft))
    editor = Editor(draft)
    if not editor.has_problems and (saved := _saved(request, agent, editor)):
        return redirect("agent", agent_id=saved.pk)
    return _show(request, agent, editor)


def _saved(request: StaffRequest, agent: Agent | None, editor: Editor) -> Agent | None:
    try:
        saved = save_agent(
            actor=request.user.actor(),
            agent_id=agent.pk if agent else None,
            values=content_of(editor.draft),
            version=editor.draft.version if agent else None,
            now=clock.now(),
        )
    except Invalid as error:
        editor.refuse(error.fields)
    except DomainError as error:
        editor.agent.add_error(None, error.message)
    else:
        text = _("{name} is saved, version {number}.")
        messages.success(request, text.format(name=saved.name, number=saved.version))
        return saved
    return None


def _show(
    request: StaffRequest, agent: Agent | None, editor: Editor, own_phone: OwnPhoneForm | None = None
) -> HttpResponse:
    context = {
        "agent": agent,
        "address": reverse("agent", args=[agent.pk]) if agent else reverse("agent-new"),
        "editor": editor,
        "own_phone": own_phone or OwnPhoneForm(user=request.user, sent_with=FORM),
        **_preview(request, editor.draft),
    }
    template = "campaigns/agent.html#editor" if request.htmx else "campaigns/agent.html"
    return render(request, template, context)


@page
@require_POST
def agent_call(request: StaffRequest, agent_id: str) -> HttpResponse:
    """Have one's own phone called by the agent as it is saved, and show that call."""
    request.user.actor().require(Role.MANAGER)
    agent = get_agent(agent_id)
    own_phone = OwnPhoneForm(request.POST, user=request.user, sent_with=FORM)
    shown = _preview(request, draft_of(agent.current))
    if not own_phone.is_valid() or "script" not in shown:
        return _show(request, agent, Editor(read_draft(request.POST)), own_phone)
    asked = CallRequest(
        contact_id="", agent_id=agent.pk, scheduled_at="", initial_message=shown["script"].message
    )
    number = own_phone.cleaned_data["own_phone"]
    call = call_own_phone(user=request.user, number=number, request=asked, now=clock.now())
    return redirect("call", call_id=call.pk)


@page
@require_POST
def agent_sound(request: StaffRequest) -> HttpResponse:
    """The opening of a call by this draft as it will sound; plain text says why it cannot be heard."""
    request.user.actor().require(Role.MANAGER)
    shown = _preview(request, read_draft(request.POST))
    if "script" not in shown:
        return untold([str(shown.get("preview_problem") or _("Add a contact to hear it."))])
    return sound_of(shown["script"])


def _preview(request: StaffRequest, draft: Draft) -> dict[str, Any]:
    """The whole script as it would be spoken for the chosen contact."""
    text = request.POST.get("preview_q", "").strip()
    people = Contact.objects.present()
    found = list(people.matching(text)[:FOUND] if text else people.order_by("-created_at", "-id")[:FOUND])
    wanted = request.POST.get("preview_contact", "")
    contact = next((one for one in found if one.pk == wanted), found[0] if found else None)
    message = request.POST.get("preview_message", "").strip() or EXAMPLE
    shown: dict[str, Any] = {
        "preview_q": text,
        "found": found,
        "contact": contact,
        "preview_message": message,
        "can_speak": can_speak(clock.now()),
    }
    if contact:
        try:
            shown["script"] = _script(draft, contact, message, clock.now())
        except Invalid as error:
            shown["preview_problem"] = error.message
    return shown


def _script(draft: Draft, contact: Contact, message: str, now: datetime) -> Script:
    text = spoken.render(message, contact=contact, metadata=None, now=now)
    call = Call(contact=contact, recording_enabled=True)
    return script_for(call, text, AgentVersion(**content_of(draft)), now=now)


@page
@require_POST
def agent_duplicate(request: StaffRequest, agent_id: str) -> HttpResponse:
    """Make another that says the same, and go to it."""
    copy = duplicate_agent(actor=request.user.actor(), agent_id=agent_id, now=clock.now())
    messages.success(request, _("This is the copy. Give it a name of its own."))
    return redirect("agent", agent_id=copy.pk)


@page
@require_POST
def agent_default(request: StaffRequest, agent_id: str) -> HttpResponse:
    """Have it speak wherever no other is chosen."""
    agent = make_default(actor=request.user.actor(), agent_id=agent_id, now=clock.now())
    messages.success(request, _("{name} is the default agent now.").format(name=agent.name))
    return redirect("agent-list")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def agent_archive(request: StaffRequest, agent_id: str) -> HttpResponse:
    """Ask, then offer it no more."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    agent = get_agent(agent_id)
    if request.method != "POST":
        return dialog(request, "campaigns/archive.html", {"agent": agent})
    try:
        archive_agent(actor=actor, agent_id=agent_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("{name} is archived.").format(name=agent.name))
    return redirect("agent-list")
