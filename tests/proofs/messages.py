"""Messages leak nothing, run nothing and cost little, whatever somebody writes into them.

Each case is a template put together at random from what is known to break template engines; it is
rendered for a contact whose own data is hostile too. The answer is a refusal, or a text with nothing of
what the message must not reach.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.template import Context, Template
from liquid import Environment

from calls import messages
from contacts.models import Contact
from temphone.lib.errors import Invalid
from tests.proofs.battery import Broken, Proof, Tally, Trial

logger = logging.getLogger(__name__)
NOW = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)
LATER = "said-by-a-second-reading"
METADATA = {
    "order": "A7",
    "deep": {"a": {"b": {"c": "core"}}},
    "hostile": "{{ metadata.later }}{% if true %}{{ contact.email }}{% endif %}<<later>>{0.email}",
    "later": LATER,
    "long": "x" * 500,
    "number": 10**9,
    "huge": 10**300,
}
CONTACT = Contact(
    pk="ctc_canary000000",
    first_name="Jordan {{ metadata.later }} <<metadata.later>>",
    last_name="{% for i in (1..9) %}Lee{% endfor %}",
    phone="+14155550142",
    company="Lee & <script>",
    timezone="America/Los_Angeles",
    attributes={"plan": "gold", "email": "", "size": "99", "first": "{{ now }}"},
)
CONTACT.email, CONTACT.password = "canary.mail@example.com", "canary-of-an-object"  # of nobody

# What no message may say: what the contact's row and the process hold beside the data for messages.
LEAKS = (
    CONTACT.email,
    CONTACT.phone,
    "4155550142",
    CONTACT.pk,
    CONTACT.password,
    LATER,
    "<class",
    "<bound",
    "object at 0x",
)
WALKS = """
    contact.email contact.phone contact.pk contact.id contact.password contact._state.db contact._meta
    contact.__class__ contact.__class__.__mro__ contact.__init__.__globals__ contact['__class__']
    contact["email"] contact.objects.all metadata.__class__ metadata.keys metadata.items metadata.deep.a.b.c
    metadata.hostile metadata.long metadata.huge metadata[0] metadata[-1] now.tzinfo now.__reduce__
    now.isoformat first_name first_name.__class__ last_name company plan self settings settings.SECRET_KEY
    request env os
    forloop block super loop cycler lipsum namespace config 'text' "text" 1 -1 1e999 0x10 nil true empty blank
    contact[contact] metadata[first_name] contact.first.last.size metadata.deep[metadata.order] now size
"""
NAMES = WALKS.split()
FILTERS = """
    upcase|downcase|capitalize|strip|size|date: "%A"|date: "%9999999d"|date: "%c%s%z%Z"|
    date: first_name|truncate: 99999999999|truncate: -1|truncatewords: 1e9|slice: 0, 99999999|
    slice: -5, 1|default: (1..9)|default: contact.email|default: "there"|append: metadata.long|
    prepend: metadata.hostile|plus: metadata.huge|times: metadata.number|times: 99999999999999999999|
    divided_by: 0|modulo: 0|round: 999999999|round: -999999999|remove: ""|at_least: "x"|at_most: nil|
    abs|ceil|floor|squish|join: ","|map: "email"|where: "a", "b"|sort|first|last|split: ""|
    replace: "", metadata.long|repeat|json|safe|attr: "__class__"|format: contact|url_encode|escape|
    base64_encode|concat: contact|compact|reverse|sum|uniq|newline_to_br|strip_html|times: -1e308|
    minus: "NaN"|
"""
PIPES = [pipe.strip() for pipe in FILTERS.replace("\n", "").split("|") if pipe.strip()]
TAGS = (
    "{% if true %}tag-ran{% endif %}",
    "{% for i in (1..100000000) %}tag-ran{% endfor %}",
    "{% assign a = contact.email %}{{ a }}tag-ran",
    "{% capture x %}tag-ran{% endcapture %}{{ x }}",
    "{% include 'accounts/login.html' %}tag-ran",
    "{% render 'x' %}tag-ran",
    "{% load static %}tag-ran",
    "{% debug %}tag-ran",
    "{% raw %}{{ first_name }}{% endraw %}tag-ran",
    "{% increment x %}tag-ran",
    "{%- liquid echo contact.email -%}tag-ran",
    "{% import os %}tag-ran",
)
FORMATS = (
    "{0}",
    "{0.email}",
    "{contact.email}",
    "{contact.__class__.__init__.__globals__}",
    "{settings.SECRET_KEY}",
    "%s",
    "%(email)s",
    "%n",
    "${contact.email}",
    "#{contact.email}",
    "<%= contact.email %>",
    "${{ contact.email }}",
    "{{{ contact.email }}}",
    "{{ 7 * 7 }}",
    "{# comment #}",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
)
NOISE = (
    "\u202e",
    "\u200b",
    "\u0000",
    "\u2028",
    "\ufeff",
    "\u0130",
    "\ufb03",
    "\U0001f600",
    "{{",
    "}}",
    "<<",
    ">>",
    "{%",
    "%}",
)
WORK_S = 1.0  # of one processor, for what costs milliseconds

Render = Callable[[str], str]


def product(template: str) -> str:
    """What TemPhone says."""
    return messages.render(template, contact=CONTACT, metadata=METADATA, now=NOW)


def with_objects(template: str) -> str:
    """The mistake of handing the row itself to Django's template engine."""
    return Template(template).render(
        Context({"contact": CONTACT, "metadata": METADATA, "settings": settings})
    )


def by_format(template: str) -> str:
    """The mistake of str.format."""
    return template.format(CONTACT, contact=CONTACT, settings=settings)


def read_twice(template: str) -> str:
    """The mistake of reading what came out as a template again."""
    return product(product(template))


def with_tags(template: str) -> str:
    """The mistake of all of Liquid; without its loops, of which one alone would take the night."""
    environment = Environment()
    del environment.tags["for"]
    return environment.from_string(template).render(contact={"first_name": "Jordan"}, metadata=METADATA)


VARIANTS: dict[str, Render] = {
    render.__name__: render for render in (with_objects, by_format, read_twice, with_tags)
}


def a_template(chance: random.Random) -> str:
    """A template of a few hostile pieces, now and then deep or wide."""
    pieces = [_piece(chance) for _ in range(chance.randrange(1, 6))]
    text = chance.choice(("", " ", "\n")).join(pieces)
    if chance.random() < 0.05:
        text = chance.choice(
            ("{{ " + "a[" * 3000, "(" * 3000, text * 500, "{{" * 2000 + "}}" * 2000, "<" * 5000)
        )
    if chance.random() < 0.2:
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(NOISE) + text[at:]
    return text[: messages.MAX_LENGTH]


def _piece(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.6:
        pipes = "".join(f" | {chance.choice(PIPES)}" for _ in range(chance.randrange(4)))
        begin, end = chance.choice((("{{ ", " }}"), ("{{", "}}"), ("<<", ">>"), ("{{-", "-}}")))
        return f"{begin}{chance.choice(NAMES)}{pipes}{end}"
    if kind < 0.75:
        return chance.choice(FORMATS)
    if kind < 0.85:
        return chance.choice(TAGS)
    return "".join(chance.choice(NOISE) for _ in range(chance.randrange(1, 4)))


def judged(render: Render, trial: Trial) -> Tally:
    """Render so many templates, and flag what leaked, ran, raised or took its time."""
    chance, tally = trial.chance, Tally()
    for _ in range(trial.cases):
        template = a_template(chance)
        began = time.process_time()
        problem = _problem(render, template, tally)
        if not problem and time.process_time() - began > WORK_S and _takes_its_time(render, template):
            problem = "it took its time"
        if problem:
            tally.flag(problem, folder=trial.folder, template=template)
        tally.cases += 1
    return tally


def _takes_its_time(render: Render, template: str) -> bool:
    """Whether it does so again: a collection of garbage that falls into a rendering is not its cost."""
    began = time.process_time()
    _problem(render, template, Tally())
    return time.process_time() - began > WORK_S


def _problem(render: Render, template: str, tally: Tally) -> str:
    try:
        text = render(template)
    except Invalid as refusal:
        tally.counts["refused"] += 1
        return _leak(refusal.message, template)
    except Exception as error:
        logger.debug("It raised.", exc_info=True)
        tally.counts["raised"] += 1
        return f"it raised {type(error).__name__}" if render is product else ""
    tally.counts["spoken"] += 1
    if len(text) > messages.MAX_RENDERED_LENGTH:
        return "the text is longer than a message may be"
    return _leak(text, template)


def _leak(text: str, template: str) -> str:
    if "tag-ran" in text and "{%" in template:
        return "a tag ran"
    if settings.SECRET_KEY in text:
        return "a setting leaked"
    text = text.replace(f"'later': '{LATER}'", "")  # all of the metadata, spoken as it is
    return next((f"{leak} leaked" for leak in LEAKS if leak in text and leak not in template), "")


def run(trial: Trial) -> Tally:
    """The product, for the battery."""
    return judged(product, trial)


def broken(render: Render) -> Callable[[Trial], Tally]:
    return lambda trial: judged(render, trial)


PROOF = Proof(
    name="messages",
    shows="A message says its own text and the data for messages alone, runs nothing, and costs little.",
    unit="templates",
    small=2_000,
    full=100_000,
    chunk=50_000,
    run=run,
    databases=("sqlite",),  # it asks no database
    broken={
        name: Broken(run=broken(render), seen_by="a tag ran" if name == "with_tags" else "leaked")
        for name, render in VARIANTS.items()
    },
    broken_cases=6_000,
)
