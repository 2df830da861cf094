"""``make screenshots``: open the pages of the album, and write what they look like to docs/pictures."""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import django
from PIL import Image
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.pictures.album import PICTURES, SIZES, Picture
from tests.pictures.still import MOMENT, stand_still

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
CALM = "*, ::before, ::after { animation: none !important; transition: none !important; caret-color: #0000 }"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which pictures; all, without a name")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="docs/pictures")
    return parser.parse_args(words)


def main() -> None:
    """Take the pictures that were asked for."""
    asked = arguments()
    chosen = [one for one in PICTURES if not asked.names or one.name in asked.names]
    asked.folder.mkdir(parents=True, exist_ok=True)
    with a_site() as (address, names), a_browser() as browser:
        session = log_in(browser, address)
        for number, picture in enumerate(chosen, start=1):
            began = time.monotonic()
            content = take(browser, address, session, picture.address(names), picture)
            (asked.folder / picture.file).write_bytes(content)
            took, size = time.monotonic() - began, len(content)
            say(f"{number:>3} of {len(chosen)}  {picture.file:<34} {size >> 10:>4} KB {took:5.1f} s")
    whole = sum(file.stat().st_size for file in asked.folder.glob("*.webp"))
    say(f"{asked.folder}: {whole / 2**20:.1f} MB")


def say(words: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@contextmanager
def a_site() -> Iterator[tuple[str, dict[str, str]]]:
    """The demo, in a folder that goes away with it: its address, and the ids of what is on the pictures."""
    stand_still()
    with tempfile.TemporaryDirectory(prefix="temphone-pictures-") as folder:
        os.environ |= {"TEMPHONE_DATA_DIR": folder, "DATABASE_URL": "", "LOG_LEVEL": "WARNING"}
        # Playwright runs a loop in this thread, where Django then suspects async code; there is none.
        os.environ |= {"DJANGO_SETTINGS_MODULE": "temphone.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
        django.setup()
        from tests.pictures import stage  # now that there are settings, and time stands still

        say("Filling the demo ...")
        names = stage.furnish()
        with stage.served() as address:
            yield address, names


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none", "--lang=en-GB"],
        )
        yield browser
        browser.close()


def log_in(browser: Browser, address: str) -> StorageState:
    """As the demo's admin, at the MOMENT; the cookies."""
    from temphone.accounts.models import User
    from temphone.management.demo import LOGIN

    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill(LOGIN[0])
    page.get_by_label("Password").fill(LOGIN[1])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/overview/**")
    session = context.storage_state()
    context.close()
    User.objects.filter(last_login__isnull=False).update(last_login=MOMENT)
    return session


def take(browser: Browser, address: str, session: StorageState, path: str, picture: Picture) -> bytes:
    """Take one picture."""
    width, height = SIZES[picture.size]
    context = browser.new_context(
        base_url=address,
        bypass_csp=True,  # for the style that calms it
        color_scheme="dark" if picture.dark else "light",
        locale="en-GB",
        reduced_motion="reduce",
        storage_state=session,
        viewport={"width": width, "height": height},
    )
    page = context.new_page()
    page.clock.set_fixed_time(MOMENT)
    answer = page.goto(path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{picture.name}: {path} does not open.")
    page.add_style_tag(content=CALM)
    picture.act(page)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(200)
    content = small(page.screenshot())
    context.close()
    return content


def small(png: bytes) -> bytes:
    """The very same, as WebP, which takes half the bytes."""
    kept = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(kept, "WEBP", lossless=True, quality=100, method=6)
    return kept.getvalue()


if __name__ == "__main__":
    main()
