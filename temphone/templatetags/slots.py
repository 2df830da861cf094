"""What a calendar shows hundreds of."""

from datetime import date
from typing import TYPE_CHECKING

from django import template

from temphone.kept_words import gettext as _
from temphone.lib.markup import Markup, filled, joined
from temphone.templatetags.ui import icon, status_icon

if TYPE_CHECKING:
    from calls.views.calendar import Card, Cell

register = template.Library()

SLOT = '<td class="slot{}{}" data-date="{}" data-hour="{}" data-name="{}">{}{}{}{}</td>'
NOW = (
    '<svg class="nowline" aria-hidden="true" focusable="false"><line x1="0" x2="100%" y1="{0}%" y2="{0}%"/>'
    '</svg><span class="visually-hidden">{1}</span>'
)
CARD = (
    '<a class="slotcard is-{}" id="slot-{}" href="{}" title="{}"{}>{}<span class="visually-hidden">{}</span>'
    '<b>{}</b> <span class="slotcard-name">{}</span>{}{}</a>'
)
MOVES = ' draggable="true" data-move="{}" data-time="{}" aria-describedby="move-hint"'
THERE = ' <span class="slotcard-there">{}</span>'
NIGHT = '{}<span class="visually-hidden">{}</span>'
MORE = '<a class="slot-more" href="{}">{}<span class="visually-hidden">, {}</span></a>'
NEW = '<a class="slot-new" tabindex="-1" href="{}{}" aria-label="{}">{}</a>'


@register.simple_tag
def slot(cell: "Cell", *, today: date, may_move: bool, new_call: str, whose: str) -> Markup:
    """An hour of a day: its first calls, the way to the others, and for whoever may, that to a new one."""
    return filled(
        SLOT,
        " is-past" if cell.is_past else "",
        " is-today" if cell.day == today else "",
        cell.date,
        f"{cell.hour:02}",
        cell.name,
        "" if cell.now_percent is None else filled(NOW, cell.now_percent, _("now")),
        joined(_card(card, may_move=may_move) for card in cell.cards),
        _more(cell) if cell.more else "",
        _new(cell, new_call, whose) if may_move and not cell.is_past else "",
    )


def _card(card: "Card", *, may_move: bool) -> Markup:
    """A call, its name for screen readers included; for who may move it, what moves it."""
    call, time = card.call, card.time
    moves = filled(MOVES, card.move_href, time) if may_move and card.is_movable else ""
    night = filled(NIGHT, icon("moon", 12), _("outside calling hours")) if card.is_night else ""
    there = filled(THERE, card.there) if card.there else ""
    status, parts = icon(status_icon(call.status), 12), (time[:5], call.contact, there, night)
    return filled(CARD, call.status, call.pk, card.href, card.title, moves, status, card.standing, *parts)


def _more(cell: "Cell") -> Markup:
    words = _("%(n)s+ more") if cell.is_at_least else _("%(n)s more")
    return filled(MORE, cell.more_href, words % {"n": cell.more}, cell.name)


def _new(cell: "Cell", href: str, whose: str) -> Markup:
    """The way to a new call in that hour."""
    named = _("Schedule a call on %(name)s") % {"name": cell.name}
    query = f"?date={cell.date}&time={cell.hour:02}:00&whose={whose}"
    return filled(NEW, href, query, named, icon("plus", 14))
