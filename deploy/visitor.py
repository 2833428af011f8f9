"""A visitor with a cookie jar, who knows the site only by its pages."""

from pathlib import Path

import requests
from bs4 import BeautifulSoup


class Visitor:
    def __init__(self, site: str, certificate: Path, email: str | None = None, password: str = ""):
        self.site, self.http = site, requests.Session()
        self.http.verify, self.http.trust_env = str(certificate), False
        if email:
            answer = self.post(
                "/accounts/login/", {"login": email, "password": password}, page="/accounts/login/"
            )
            if answer.status_code != 200 or "/accounts/login" in answer.url:
                raise SystemExit(f"{email} can't log in: {answer.status_code} {answer.url}")

    def get(self, path: str, **options) -> requests.Response:
        return self.http.get(self.site + path, timeout=60, **options)

    def post(self, path: str, data=None, *, page: str, follow: bool = True) -> requests.Response:
        """Sends a form of `page`, as its button would."""
        token = BeautifulSoup(self.get(page).text, "html.parser").find(
            "input", {"name": "csrfmiddlewaretoken"}
        )
        data = {**(data or {}), "csrfmiddlewaretoken": token["value"]}
        headers = {"Referer": self.site + page}
        return self.http.post(
            self.site + path, data=data, headers=headers, timeout=60, allow_redirects=follow
        )

    def fields(self, page: str, action: str) -> dict[str, str]:
        """What a form would send if it were sent as it stands."""
        soup = BeautifulSoup(self.get(page).text, "html.parser")
        form = soup.find("form", action=action)
        if form is None:
            raise SystemExit(f"{page} has no form that posts to {action}")
        sent = {}
        for field in form.find_all(["input", "textarea", "select"]):
            kind, name = field.get("type", field.name), field.get("name")
            if (
                not name
                or kind in ("file", "submit")
                or (kind in ("radio", "checkbox") and not field.has_attr("checked"))
            ):
                continue
            if field.name == "select":
                field = field.find("option", selected=True) or field.find("option")
            sent[name] = field.get("value", field.text.strip())
        return sent

    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    @staticmethod
    def lines(response: requests.Response, name: str) -> list[str]:
        """A header's lines one by one; requests itself joins them."""
        return response.raw.headers.getlist(name)
