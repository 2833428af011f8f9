"""Before the button is pressed: the line beside it follows the settings, and asks without what was written."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_forecast_follows_the_settings_and_its_address_holds_no_words(visitor):
    artist = visitor("artist")
    asked = []
    artist.on("request", lambda request: "/forecast/" in request.url and asked.append(request.url))
    artist.goto("/studio/")
    expect(artist.get_by_text("once it starts.")).to_be_visible()
    artist.fill("textarea[name=prompt]", "something private")
    artist.get_by_role("radio", name="3", exact=True).check()
    expect(artist.get_by_text("for each, once they start.")).to_be_visible()
    assert len(asked) >= 2
    assert "takes=3" in asked[-1]
    assert not any("private" in address or "prompt" in address for address in asked)
    assert artist.complaints == []
