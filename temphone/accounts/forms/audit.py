"""The audit log's filters, and its actions in plain words."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from temphone.accounts.models import ApiKey, AuditQuerySet, User
from temphone.lib.clock import from_wall

PEOPLE_OFFERED = 200
KEYS_OFFERED = 50
SYSTEM_ACTOR = "system:"
# What the log keeps, as people say it; by what it is done to.
GROUPS = (
    (
        _("Calls"),
        {
            "call.schedule": _("Scheduled a call"),
            "call.changed": _("Changed a call"),
            "call.rescheduled": _("Moved a call"),
            "call.cancel": _("Canceled a call"),
            "call.hang_up": _("Asked to hang up"),
            "call.note": _("Wrote a note on a call"),
            "call.mark": _("Corrected how a call ended"),
            "call.seen": _("Marked calls as seen"),
            "calls.cancel": _("Canceled many calls"),
            "calls.move": _("Moved many calls"),
            "calls.again": _("Had many called again"),
            "calls.seen": _("Marked many calls as seen"),
            "calls.export": _("Exported calls"),
            "recording.play": _("Listened to a recording"),
            "stop.on": _("Stopped all calling"),
            "stop.off": pgettext_lazy("audit log", "Let calling go on"),
            "stop.hang_up": _("Hung up all calls"),
        },
    ),
    (
        _("Contacts"),
        {
            "contact.add": _("Added a contact"),
            "contact.change": _("Changed a contact"),
            "contact.delete": _("Deleted a contact"),
            "contact.erase": _("Erased a contact"),
            "contact.export": _("Exported contacts"),
            "consent.add": _("Recorded a consent"),
            "consent.revoke": _("Revoked a consent"),
            "suppression.add": _("Blocked a number"),
            "suppression.lift": _("Unblocked a number"),
            "import.upload": _("Uploaded a file of contacts"),
            "import.match": _("Matched the columns of an import"),
            "import.start": _("Started an import"),
            "import.done": _("Finished an import"),
            "import.undo": _("Took an import back"),
            "import.undone": _("Finished taking an import back"),
            "import.abandon": _("Gave an import up"),
            "import.export": _("Downloaded the problems of an import"),
            "import.forget": _("Deleted the file of an import"),
        },
    ),
    (
        _("Campaigns and agents"),
        {
            "campaign.create": _("Created a campaign"),
            "campaign.draft": _("Drafted a campaign"),
            "campaign.change": _("Changed a campaign"),
            "campaign.launch": _("Launched a campaign"),
            "campaign.let_on": _("Let a campaign go on after its first calls"),
            "campaign.schedule": _("Scheduled a campaign's calls"),
            "campaign.pause": _("Paused a campaign"),
            "campaign.resume": _("Let a campaign go on"),
            "campaign.cancel": _("Canceled a campaign"),
            "campaign.complete": _("Completed a campaign"),
            "campaign.reopen": _("Let a campaign run on to which a call was added as it was completed"),
            "agent.add": _("Made an agent"),
            "agent.change": _("Changed an agent"),
            "agent.default": _("Made an agent the default"),
            "agent.archive": _("Archived an agent"),
        },
    ),
    (
        _("Setup"),
        {
            "trunk.create": _("Added a trunk"),
            "trunk.change": _("Changed a trunk"),
            "trunk.on": _("Switched a trunk on"),
            "trunk.off": _("Switched a trunk off"),
            "trunk.delete": _("Deleted a trunk"),
            "number.add": _("Added a number"),
            "number.change": _("Changed a number"),
            "number.default": _("Made a number the default"),
            "number.remove": _("Removed a number"),
            "destinations.change": _("Changed where calls may go"),
            "pacing.change": _("Changed how fast calls begin"),
            "key.create": _("Made an API key"),
            "key.change": _("Changed an API key"),
            "key.revoke": _("Revoked an API key"),
            "endpoint.create": _("Added a webhook endpoint"),
            "endpoint.change": _("Changed a webhook endpoint"),
            "endpoint.on": _("Switched a webhook endpoint on"),
            "endpoint.off": _("Switched a webhook endpoint off"),
            "endpoint.rotate": _("Changed a webhook endpoint's secret"),
            "endpoint.end_overlap": _("Ended the overlap of a webhook's secrets"),
            "endpoint.test": _("Sent a test to a webhook endpoint"),
            "endpoint.delete": _("Deleted a webhook endpoint"),
            "webhook.resend": _("Sent a webhook again"),
            "webhook.resend_failed": _("Sent failed webhooks again"),
        },
    ),
    (
        _("Logins"),
        {
            "account.login": _("Logged in"),
            "account.logout": _("Logged out"),
            "user.password_wrong": _("A wrong password was typed"),
            "user.code_wrong": _("A wrong login code was typed"),
            "user.unknown": _("A login with a user name that nobody has"),
            "user.failures_untold": _("More failed logins are not written for now"),
            "user.codes_locked": _("Locked a login after wrong codes"),
            "login.locked": _("Locked an address after failed logins"),
        },
    ),
    (
        _("People"),
        {
            "user.add": _("Added somebody to the team"),
            "user.change": _("Changed somebody's name or role"),
            "user.link": _("Made a link to choose a password"),
            "user.off": _("Deactivated somebody"),
            "user.on": _("Reactivated somebody"),
            "user.two_steps_off": _("Reset somebody's two-step login"),
            "account.change": _("Changed their own account"),
            "account.password": _("Changed their own password"),
            "account.password_by_link": _("Chose a password by a link"),
            "account.two_steps_on": _("Turned their two-step login on"),
            "account.two_steps_off": _("Turned their two-step login off"),
            "account.recovery_codes": _("Made new recovery codes"),
            "account.recovery_code": _("Used a recovery code"),
            "account.end_session": _("Ended a session of their own"),
            "account.end_sessions": _("Ended their other sessions"),
            "audit.export": _("Exported the audit log"),
        },
    ),
)
WORDS = {action: words for _group, actions in GROUPS for action, words in actions.items()}


def in_words(action: str) -> str:
    """An action of the log as people say it."""
    return str(WORDS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize())


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        required=False,
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))],
    )


class AuditFilter(forms.Form):
    """The filters of the log, as they stand in its address; what is wrong there is ignored."""

    on = forms.CharField(required=False, max_length=64, label=_("On what"))
    who = forms.ChoiceField(required=False)  # with choices, once they are read
    action = forms.ChoiceField(
        required=False,
        label=_("What"),
        choices=[
            ("", _("Anything")),
            *((group, list(actions.items())) for group, actions in GROUPS),
        ],
    )
    since = _day(_("From"))
    until = _day(_("To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the team and the newest keys; the address may name any."""
        super().__init__(*args, **kwargs)
        offered = _actors()
        chosen = str(self.data.get("who", ""))
        kind, colon, id_ = chosen.partition(":")
        if colon and kind in {"user", "key"} and chosen not in dict(offered):
            offered.append((chosen, id_[:64]))
        self.offered = dict(offered)
        choices = [("", _("Anybody")), *offered]
        self.fields["who"] = forms.ChoiceField(required=False, label=_("Who"), choices=choices)

    @property
    def given(self) -> dict[str, Any]:
        """The filters that are set, and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def chips(self) -> list[dict[str, str]]:
        """The filters that are set: what each is called, and its value in words."""
        return [
            {"name": name, "label": str(self.fields[name].label), "value": self._said(name, value)}
            for name, value in self.given.items()
        ]

    def _said(self, name: str, value: object) -> str:
        if isinstance(value, date):
            return date_format(value, pgettext("date format", "j M Y"))
        return in_words(str(value)) if name == "action" else str(self.offered.get(str(value), value))

    def apply(self, entries: AuditQuerySet, zone_name: str) -> AuditQuerySet:
        """The entries that match; days are those of the reader's zone."""
        given = self.given
        if "who" in given:
            kind, _colon, id_ = given["who"].partition(":")
            entries = entries.by(kind, id_)
        if "action" in given:
            entries = entries.filter(action=given["action"])
        if "on" in given:
            entries = entries.filter(target=given["on"])
        if "since" in given:
            entries = entries.filter(at__gte=_midnight(given["since"], zone_name))
        if "until" in given:
            entries = entries.filter(at__lt=_midnight(given["until"] + timedelta(days=1), zone_name))
        return entries


def _actors() -> list[tuple[str, Any]]:
    people = User.objects.order_by("username")[:PEOPLE_OFFERED]
    keys = ApiKey.objects.order_by("-created_at", "-public_id")[:KEYS_OFFERED]
    return [
        *((f"user:{person.pk}", person.actor().signature) for person in people),
        *((f"key:{key.public_id}", _("{name} (key)").format(name=key.name)) for key in keys),
        (SYSTEM_ACTOR, "TemPhone"),
    ]


def _midnight(day: date, zone_name: str) -> datetime:
    return from_wall(datetime.combine(day, time()), zone_name)
