import re

from django.template import Context, Template

from temphone.charts.kinds import Bars, Dots, Heat, Series, Share
from temphone.templatetags.charts import best_hours, span_or_dash

DASH = "\N{EN DASH}"
DAYS = ("Mon", "Tue", "Wed")


def drawn(tag: str, chart: object) -> str:
    return Template(f"{{% load charts %}}{{% {tag} chart %}}").render(Context({"chart": chart}))


def some_bars() -> Bars:
    series = (
        Series(look="reached", name="Reached", values=[1200, 0, 4]),
        Series(look="failed", name="Failed", values=[1, 0, 0]),
    )
    return Bars(title="Calls", labels=DAYS, full_labels=DAYS, series=series, label_name="Day")


def test_bars_say_in_words_and_in_a_table_what_they_show():
    markup = drawn("bars", some_bars())

    assert 'role="img" aria-label="Calls: Reached 1,204, Failed 1"' in markup
    assert "<title>Mon: Reached 1,200, Failed 1</title>" in markup
    assert "<title>Tue: none</title>" in markup
    assert "Show as table" in markup
    assert re.search(r'<th scope="row">Mon</th><td>1,200</td><td>1</td><td><b>1,201</b></td>', markup)


def test_each_series_has_a_pattern_of_its_own_and_nothing_is_drawn_of_nothing():
    markup = drawn("bars", some_bars())

    assert markup.count('class="bar"') == 3
    assert 'fill="url(#look-failed)"' in markup


def test_no_chart_has_a_style_that_the_policy_would_refuse():
    heat = Heat(title="Heat", rows=DAYS, columns=("8", "9"), cells={(0, 0): Share(part=1, whole=2)})
    dots = a_lateness([0.2, None, 3.0], [1.5, None, 42.0])

    assert "style=" not in drawn("bars", some_bars()) + drawn("heat", heat) + drawn("dots", dots)


def a_lateness(low: list[float | None], high: list[float | None]) -> Dots:
    return Dots(
        title="Lateness", labels=DAYS, full_labels=DAYS, low=low, high=high,
        low_name="Half", high_name="All but one in a hundred", label_name="Day",
    )  # fmt: skip


def test_a_day_without_calls_has_no_dots_and_a_dash_in_the_table():
    markup = drawn("dots", a_lateness([0.2, None, 3.0], [1.5, None, 42.0]))

    assert markup.count("<title>") == 2
    assert f'<th scope="row">Tue</th><td>{DASH}</td><td>{DASH}</td>' in markup
    assert '<th scope="row">Wed</th><td>3 s</td><td>42 s</td>' in markup


def test_a_heat_map_tells_share_and_number_of_each_hour():
    cells = {(0, 1): Share(part=3, whole=6), (2, 0): Share(part=6, whole=6), (1, 0): Share(part=1, whole=1)}
    heat = Heat(title="Heat", rows=DAYS, columns=("8", "9"), cells=cells)
    markup = drawn("heat", heat)

    # One of one is no 100 per cent of anything: an outline, without a number.
    assert markup.count('class="heat is-few"') == 2  # one hour, and the legend
    assert "Fewer than 5 calls" in markup
    assert re.findall(r">(\d+)</text>", markup.split("plot-x")[0]) == ["50", "100"]
    assert "<title>Mon 9:00: 50% of 6</title>" in markup
    assert "<title>Mon 8:00: no calls</title>" in markup
    assert '<th scope="row">8:00</th><td>no calls</td><td>100% of 1</td><td>100% of 6</td>' in markup
    assert best_hours(heat) == ["Wed 8:00", "Mon 9:00"]


def test_spans_are_short():
    assert [span_or_dash(span) for span in (None, 0.04, 0.45, 1, 12.4, 90, 3600, 90_000)] == [
        DASH, "0 s", "0.5 s", "1 s", "12 s", "1.5 min", "1 h", "1 d",
    ]  # fmt: skip


def test_a_small_line_is_drawn_of_two_values_at_least():
    assert "<polyline" in drawn("spark", [1, 2])
    assert drawn("spark", [1]) == ""
