"""The built site in a real browser: looked at once, page by page, facts kept.

Skipped, with the reason, where there is no Chromium or no npm.
"""

import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from browsing import look_at

from kit.environment import ROOT

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def packages():
    """The npm packages, among them the accessibility checker."""
    from kit.environment import KitError
    from kit.site import packages

    try:
        packages.fetch()
    except KitError as error:
        pytest.skip(str(error))
    return packages


@pytest.fixture(scope="session")
def html(packages):
    """The folder of the built site."""
    pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
    from kit.site.sources import BUILD, HTML

    shutil.rmtree(BUILD, ignore_errors=True)
    command = [sys.executable, "-m", "kit", "--here", "book"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return HTML


@pytest.fixture(scope="session")
def chromium():
    """A new page of the system's Chromium, at 1280 pixels."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    if CHROMIUM is None:
        pytest.skip("Chromium is not on this machine")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@contextmanager
def served(folder):
    """The address that serves `folder`."""
    from kit.site.serve import server

    with server(folder) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture(scope="session")
def address(html):
    with served(html) as at:
        yield at


@pytest.fixture(scope="session")
def axe(packages):
    return (packages.FOLDER / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def names(html):
    """The pages of the site, without those that only show source."""
    found = (p.relative_to(html).with_suffix("") for p in html.rglob("*.html"))
    return sorted(
        p.as_posix() for p in found if p.parts[0] not in ("_modules", "_static")
    )


@pytest.fixture(scope="session")
def site(chromium, address, names, axe):
    """{page: what was seen there}."""
    return {name: look_at(chromium, f"{address}/{name}.html", axe) for name in names}


@pytest.fixture
def planted(chromium, axe, tmp_path):
    """planted(body): what is seen of a page with that body."""

    def seen(body):
        head = '<!doctype html><html lang="en"><head><title>planted</title></head>'
        page = tmp_path / "page.html"
        page.write_text(f"{head}<body><main>{body}</main></body></html>")
        with served(tmp_path) as at:
            return look_at(chromium, f"{at}/page.html", axe)

    return seen
