from django.template import Context, Template

from temphone.lib.markup import filled, joined

EVIL = '<script>"O\'Neill" & co'
ESCAPED = "&lt;script&gt;&quot;O&#x27;Neill&quot; &amp; co"


def test_a_text_is_escaped_and_markup_is_taken_as_it_is():
    inside = filled('<b title="{}">{}</b>', EVIL, 5)
    assert inside == f'<b title="{ESCAPED}">5</b>'
    assert filled("<p>{}{}</p>", inside, EVIL) == f"<p>{inside}{ESCAPED}</p>"


def test_a_template_takes_it_as_it_is_and_what_it_is_made_into_as_text():
    both = {"made": joined([filled("<i>{}</i>", "1"), filled("<i>{}</i>", "2")])}
    assert Template("{{ made }}").render(Context(both)) == "<i>1</i><i>2</i>"
    assert Template("{{ made|upper }}").render(Context(both)) == "&lt;I&gt;1&lt;/I&gt;&lt;I&gt;2&lt;/I&gt;"


def test_braces_in_a_text_are_no_places_for_others():
    assert filled("<p>{}{}</p>", "{1}", "two") == "<p>{1}two</p>"
