"""Swagger UI in a real browser, under its own Content-Security-Policy."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests.api.test_roles import routes


def visit(url: str) -> tuple[list[str], int]:
    """What the browser complains of on the page, and how many methods the page shows."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(f"{url}/v1/docs/")
        methods = page.locator(".opblock")
        expect(methods).to_have_count(len(routes()))
        return complaints, methods.count()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_shows_every_method_and_violates_nothing(live_server):
    # In a thread: the browser's event loop would make Django refuse the database in this one.
    with ThreadPoolExecutor(1) as pool:
        complaints, methods = pool.submit(visit, live_server.url).result()
    assert complaints == []
    assert methods == len(routes())


def test_its_policy_is_relaxed_for_styles_alone_and_there_alone():
    policy = Client().get("/v1/docs/").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in f"{policy};"
    assert "unsafe" not in Client().get("/v1/schema/").headers["Content-Security-Policy"]
