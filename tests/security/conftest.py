from tests.browser.conftest import chromium, window

__all__ = ["chromium", "window"]
