"""The documentation is complete: what the code knows has its line in docs/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from calls.gates import RULES
from calls.models.history import Verdict
from calls.states import CallStatus, status_after
from temphone.telephony.messages import EventType, Outcome
from temphone.webhooks.models import Event

ROOT = settings.BASE_DIR
DOCS = ROOT / "docs"
SOURCES = [
    path for app in ("calls", "campaigns", "contacts", "temphone") for path in (ROOT / app).rglob("*.py")
]


def rows(page: str, heading: str = "") -> dict[str, str]:
    """The first cell's code of each table row of the page, or of one of its parts, to the whole row."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n{heading}\n")[1].split("\n## ")[0]
    return {found[1]: found[0] for found in re.finditer(r"^\| `([^`]+)`.*$", text, re.MULTILINE)}


def calls_in(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def texts(node: ast.expr) -> list[str]:
    """What a literal can be; an f-string that ends with the mode stands for both modes."""
    if isinstance(node, ast.JoinedStr):
        return [f"{node.values[0].value}{mode}" for mode in ("TEST", "LIVE")]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def settings_read() -> set[str]:
    """The variables that Django and the gateway read, but for their ``_FILE`` forms."""
    django = {
        name
        for call in calls_in(ROOT / "temphone" / "settings.py")
        if re.fullmatch(r"env\.[a-z_]+|_secret", ast.unparse(call.func)) and call.args
        for name in texts(call.args[0])
    }
    readers = [
        ROOT / "temphone" / "gateway" / name for name in ("config.py", "reader.py", "speech/settings.py")
    ]
    gateway = {
        f"TEMPHONE_{name}"
        for path in readers
        for call in calls_in(path)
        if call.args
        for name in texts(call.args[0])
        if re.fullmatch("[A-Z_]+", name)
    }
    return {name for name in django | gateway if not name.endswith("_FILE")}


def test_every_setting_has_its_line_and_every_line_a_setting():
    assert settings_read() == set(rows("settings.md"))
    assert len(settings_read()) > 30


def test_every_line_of_a_setting_tells_default_and_meaning():
    for row in rows("settings.md").values():
        _, default, meaning = row.strip("| ").split(" | ")
        assert default, row
        assert meaning.endswith("."), row


def test_every_outcome_has_its_line_with_the_status_that_it_gives():
    documented = rows("calls.md", "## Outcome")
    assert set(documented) == {outcome.value for outcome in Outcome}
    for outcome in Outcome:
        status = documented[outcome].split(" | ")[1]
        assert status.startswith(status_after(outcome)), outcome


def test_every_status_gate_and_verdict_has_its_line():
    assert set(rows("calls.md", "## Status")) == set(CallStatus.values)
    assert list(rows("calls.md", "## Gates")) == [gate.__name__ for gate in RULES]
    text = (DOCS / "calls.md").read_text()
    assert all(f"`{verdict}`" in text for verdict in Verdict.values)


def event_names() -> set[str]:
    made = [call for path in (ROOT / "calls" / "actions").glob("*.py") for call in calls_in(path)]
    literal = {
        keyword.value.value
        for call in made
        if ast.unparse(call.func).endswith(("CallEvent.objects.create", ".advance"))
        for keyword in call.keywords
        if keyword.arg in {"name", "event"} and isinstance(keyword.value, ast.Constant)
    }
    literal |= {
        call.args[1].value
        for call in made
        if ast.unparse(call.func).endswith("changes.event") and isinstance(call.args[1], ast.Constant)
    }
    carrier = {f"carrier_{kind}" for kind in EventType if kind != EventType.TURN}
    return literal | carrier | {"completed", "failed", "canceled", "scheduled", "changed", "rescheduled"}


def test_every_event_has_its_line():
    assert event_names() == set(rows("calls.md", "## Events"))


def test_every_webhook_type_has_its_line():
    assert {event.value for event in Event} == set(rows("webhooks.md", "## Events"))


def test_every_webhook_type_is_told():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "calls" / "actions").glob("*.py")]
    told = {name for text in sources for name in re.findall(r"(?<!Call)\bEvent\.([A-Z_]+)", text)}
    assert told == set(Event.names)


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        found = (page.parent / file) if file else page
        assert found.exists(), target
        if heading:
            assert heading in {
                slug(line) for line in found.read_text().splitlines() if line.startswith("#")
            }, target


def slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def test_each_picture_is_shown_by_a_page():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text())
    }
    assert shown == set((DOCS / "pictures").iterdir())


def test_pictures_are_small():
    assert sum(file.stat().st_size for file in (DOCS / "pictures").iterdir()) < 4 * 2**20
