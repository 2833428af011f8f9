"""Mail to people: one message with a subject, a text part and an HTML part, from templates/email/<name>.*

Whoever sends waits for the mail server, so send from a task. A mail holds no prompt and no title: it says that
something happened, and leads to the page that tells what.
"""

import re

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template, render_to_string

# Nobody reads the answers of machines: no holiday note or read receipt shall come back for these.
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def send(name: str, *, to: str, context: dict | None = None) -> None:
    """Sends one mail, or raises what the mail server said (SMTPException, OSError): trying again is the caller's.

    `name` names three templates, `email/<name>.subject.txt`, `.txt` and `.html`; the last two extend `email/base.*`.
    """
    compose(name, to=to, context=context or {}).send()


def compose(name: str, *, to: str, context: dict) -> EmailMultiAlternatives:
    told = {"site_url": settings.SITE_URL, **context}
    subject = " ".join(_text(f"email/{name}.subject.txt", told).split())
    mail = EmailMultiAlternatives(subject, _text(f"email/{name}.txt", told), to=[to], headers=HEADERS)
    mail.attach_alternative(render_to_string(f"email/{name}.html", told), "text/html")
    return mail


def dress(mail: EmailMessage) -> EmailMultiAlternatives:
    """The same mail with an HTML part made from its text: a paragraph that is a link alone becomes a button."""
    told = {"subject": mail.subject, "paragraphs": re.split(r"\n\s*\n", mail.body.strip())}
    dressed = EmailMultiAlternatives(mail.subject, mail.body, mail.from_email, mail.to, headers=HEADERS)
    page = render_to_string("email/plain.html", {"site_url": settings.SITE_URL, **told})
    dressed.attach_alternative(page, "text/html")
    return dressed


def _text(template: str, told: dict) -> str:
    """Words for a text part: nothing in them is escaped, and blocks left empty leave no gap."""
    written = get_template(template).template.render(Context(told, autoescape=False))
    return re.sub(r"\n{3,}", "\n\n", written).strip() + "\n"
