"""Pages in a real browser, watched for what they complain of and for what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

Open = Callable[..., Page]
UNFOLD = "document.querySelectorAll('details').forEach(d => { d.open = true; })"
WIDTH = "document.documentElement.scrollWidth"


@contextmanager
def watched(browser: Browser, own: str, **usual: Any) -> Iterator[Open]:
    """A function that opens an address in a window of its own; what goes wrong in any fails.

    Args:
        browser: the browser.
        own: how the addresses begin that a page may ask for.
        usual: settings of every window that says no others.
    """
    troubles: list[str] = []
    contexts = []

    def open_page(address: str, script: str = "", **settings: Any) -> Page:
        context = browser.new_context(**(usual | settings))
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: None if _is_own(r.url) else troubles.append(r.url))
        page.goto(address)
        return page

    def _is_own(url: str) -> bool:
        return url.startswith(("data:", own))

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()
    assert not troubles
