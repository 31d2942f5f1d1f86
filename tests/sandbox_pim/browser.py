"""A browser of the sandbox PIM's screen, without a window."""

import html
import re
from typing import Any

import requests

from sandbox_site.pim.server import PimServer

TOKEN = "form-token"


class Browser:
    def __init__(self, server: PimServer) -> None:
        self.url = server.url

    def get(self, path: str, status: int = 200) -> str:
        response = requests.get(self.url + path, timeout=10, allow_redirects=False)
        assert response.status_code == status, response.text
        assert response.headers["Content-Security-Policy"].startswith(
            "default-src 'none'"
        )
        assert "<script" not in response.text
        assert "style=" not in response.text
        return response.text

    def post(self, path: str, **inputs: Any) -> requests.Response:
        """Sends a form with the token of the page of setup, unless given another."""
        form = {TOKEN: value_of(self.get("/setup"), TOKEN), **inputs}
        return requests.post(self.url + path, form, timeout=10, allow_redirects=False)

    def submit(self, path: str, **inputs: Any) -> str:
        """Sends a form that is taken, and returns the page that comes after it."""
        response = self.post(path, **inputs)
        assert response.status_code == 303, response.text
        return self.get(response.headers["Location"])

    def refused(self, path: str, **inputs: Any) -> str:
        response = self.post(path, **inputs)
        assert response.status_code == 400, response.text
        assert "<script" not in response.text
        return response.text


def value_of(page: str, name: str) -> str:
    """What a line or a hidden input of a page holds."""
    tag = re.search(rf'<input [^>]*name="{name}"[^>]*>', page)[0]
    return html.unescape(re.search(r'value="([^"]*)"', tag)[1])


def chosen(page: str, name: str) -> list[str]:
    """The values that are selected or ticked, or what a text area holds."""
    if area := re.search(
        rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', page, re.S
    ):
        return [html.unescape(area[1])]
    if select := re.search(rf'<select[^>]*name="{name}".*?</select>', page, re.S):
        found = re.findall(r'<option value="([^"]*)" selected>', select[0])
    else:
        found = re.findall(rf'name="{name}" value="([^"]*)" checked>', page)
    return [html.unescape(value) for value in found]


def untouched(page: str) -> dict[str, list[str]]:
    """What a browser sends for the form of a page in which nothing was touched."""
    form = page[page.index('<form class="inputs"') :]
    names = set(re.findall(r' name="([\w.-]+)"', form))
    lines = set(re.findall(r'<input id="[^"]+" name="([\w.-]+)"', form))
    lines |= set(re.findall(r'<input type="hidden" name="([\w.-]+)"', form))
    return {
        name: [value_of(form, name)] if name in lines else chosen(form, name)
        for name in names
    }


def faults(page: str) -> dict[str, str]:
    """The messages beside the inputs, by the input's name."""
    found = re.findall(r'<p class="fault" id="input-([\w.-]+)-fault">(.*?)</p>', page)
    return {name: html.unescape(text) for name, text in found}


def rows(page: str, section: str = "main") -> list[list[str]]:
    """The cells of the table that stands first in a section, as text."""
    start = page.index(f'id="{section}"') if section != "main" else 0
    table = re.search(r"<tbody>(.*?)</tbody>", page[start:], re.S)
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", table[1], re.S)
    ]
