"""What a calendar shows hundreds of: made here, as a template takes ten times as long for each."""

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from temphone.templatetags.ui import icon, status_icon

if TYPE_CHECKING:
    from calls.views.calendar import Card, Cell

register = template.Library()

CARD = (
    '<a class="slotcard is-{}" id="slot-{}" href="{}" title="{}"{}>{}<span class="visually-hidden">{}</span>'
    '<b>{}</b> <span class="slotcard-name">{}</span>{}{}</a>'
)
THERE = ' <span class="slotcard-there">{}</span>'
MOVES = ' draggable="true" data-move="{}" data-time="{}" aria-describedby="move-hint"'
NIGHT = '{}<span class="visually-hidden">{}</span>'
NEW = '<a class="slot-new" tabindex="-1" href="{}{}" aria-label="{}">{}</a>'


@register.simple_tag
def slot_card(card: "Card", *, may_move: bool) -> SafeString:
    """A call, its name for screen readers included; for who may move it, what moves it."""
    call, time = card.call, card.time
    moves = format_html(MOVES, card.move_href, time) if may_move and card.is_movable else ""
    night = format_html(NIGHT, icon("moon", 12), _("outside calling hours")) if card.is_night else ""
    there = format_html(THERE, card.there) if card.there else ""
    status, parts = icon(status_icon(call.status), 12), (time[:5], call.contact, there, night)
    return format_html(
        CARD, call.status, call.pk, card.href, card.title, moves, status, card.standing, *parts
    )


@register.simple_tag
def slot_new(cell: "Cell", href: str, whose: str) -> SafeString:
    """The way to a new call in that hour."""
    named = _("Schedule a call on %(name)s") % {"name": cell.name}
    query = f"?date={cell.date}&time={cell.hour:02}:00&whose={whose}"
    return format_html(NEW, href, query, named, icon("plus", 14))
