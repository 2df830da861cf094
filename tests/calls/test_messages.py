"""Messages are plain: variables, defaults, a few filters; nothing that leaks, loops or runs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from calls.messages import render
from contacts.models import Contact
from temphone.lib.errors import Invalid

NOW = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)
JORDAN = Contact(
    first_name="Jordan",
    phone="+14155550100",
    timezone="America/Los_Angeles",
    company="Lee & Sons",
    attributes={"plan": "gold", "note": "{{ first_name }} {% if 1 %}", "nothing": ""},
)


def say(template, **metadata):
    return render(template, contact=JORDAN, metadata=metadata, now=NOW)


@pytest.mark.parametrize(
    ("template", "spoken"),
    [
        ("Hi {{first_name}}.", "Hi Jordan."),
        ("Hi {{ first_name }}.", "Hi Jordan."),
        ("Hi <<first_name>>.", "Hi Jordan."),
        ("Hi << first_name | upcase >>.", "Hi JORDAN."),
        ("{{ contact.company }}", "Lee & Sons"),
        ("{{ contact.plan }} {{ plan }}", "gold gold"),
        ("{{ metadata.order_no }}", "A7"),
        ('Hi {{ last_name | default: "there" }}.', "Hi there."),
        ('{{ nothing | default: "none" }}', "none"),
        ('{{ now | date: "%A %H:%M" }}', "Sunday 08:00"),
        ("{{ note }}", "{{ first_name }} {% if 1 %}"),
        ("No variables, 100 % plain < and >.", "No variables, 100 % plain < and >."),
        ("  spaced\x00\x07 ", "spaced"),
    ],
)
def test_it_speaks(template, spoken):
    assert say(template, order_no="A7") == spoken


@pytest.mark.parametrize(
    "template",
    ["{{ last_name }}", "{{ nothing }}", "{{ nobody }}", "{{ metadata.x }}", "{{ contact.owner }}"],
)
def test_a_variable_without_a_value_is_named_with_the_mend(template):
    with pytest.raises(Invalid) as refusal:
        say(template)
    name = template.strip("{} ")
    assert f"uses '{name}', which has no value for this contact" in refusal.value.message
    assert f'{{{{ {name} | default: "there" }}}}' in refusal.value.message
    assert list(refusal.value.fields) == ["initial_message"]


@pytest.mark.parametrize(
    "template",
    [
        "{% if first_name %}x{% endif %}",
        "{% assign a = 1 %}",
        "{% raw %}{{ first_name }}{% endraw %}",
        "{%- comment -%}x{%- endcomment -%}y",
        "{% include 'x' %}",
        "{{ (1..100000000) | join }}",
        "{{ first_name | default: (1..9) }}",
        "{{ first_name | replace: 'a', 'b' }}",
        "{{ first_name | nofilter }}",
        "{{ first_name",
        "{{ 1 | divided_by: 0 }}",
        "{{ now | date: '%999999999d' }}",
        "{{ contact.__class__ }}",
        "{{ now.tzinfo }}",
        "{{" + "a[" * 2000 + "}}",
        "   ",
        "{{ first_name | truncate: 0, '' }}",
    ],
)
def test_it_refuses_what_could_leak_loop_or_say_nothing(template):
    with pytest.raises(Invalid) as refusal:
        say(template)
    assert refusal.value.message.startswith("Field 'initial_message' ")


def test_what_cannot_be_calculated_is_said_in_plain_words():
    with pytest.raises(Invalid, match=r"a valid template: something in it cannot be calculated\.$"):
        say("{{ true | minus: 'NaN' }}")


def test_a_value_cannot_swell_the_message_without_bound():
    with pytest.raises(Invalid, match="10000 characters"):
        say("{{ metadata.long }}{{ metadata.long }}", long="x" * 6000)


PIECES = some.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "<<",
        ">>",
        "first_name",
        "|",
        "date:",
        '"%A"',
        "(1..9)",
        "..",
        ".",
        "[",
        "]",
        " ",
        "'",
    ]
)


@given(some.lists(PIECES | some.text(max_size=5), max_size=15).map("".join))
def test_any_text_is_spoken_or_refused_clearly(template):
    assert spoken_or_refused(template)


def spoken_or_refused(template):
    try:
        return say(template).strip()
    except Invalid as refusal:
        return refusal.message.startswith("Field 'initial_message' ")
