"""A lab on a page, as a person reads it; each function waits for what it says."""

import re

from playwright.sync_api import expect


def open_group(lab, title):
    """Open a group of controls."""
    lab.get_by_role("button", name=title, exact=True).click()


def banner(lab):
    """Return the banner with the verdict and its reason."""
    return lab.locator(".gradlab-banner").first


def expect_verdict(lab, word=None, *, not_=None):
    """Wait until the banner's verdict is `word`, or is not `not_`."""
    shown = expect(lab.locator(".gradlab-verdict").first)
    if word is not None:
        shown.to_have_text(re.compile(rf"\b{word}$"))
    if not_ is not None:
        shown.not_to_have_text(re.compile(rf"\b{not_}$"))


def expect_eps(lab, eps):
    """Wait until the banner tells this step, written as it writes it: "1.0e-05"."""
    expect(banner(lab)).to_have_text(re.compile(rf"eps\s*=\s*{re.escape(eps)}(?![\d.e])"))
