"""The prompt form as a browser sends it, and what must come back when something in it is wrong."""

from generation.models import Job

GOOD = {
    "prompt": "a red ball",
    "model": "testcard",
    "aspect": "1:1",
    "duration": "1",
    "steps": "2",
    "seed": "7",
}
FORM = "application/x-www-form-urlencoded"


def sentence_of(answer) -> str:
    """All that a form's answer says about errors, the form's own and the fields'."""
    form = answer.context["form"]
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def refused(client, status=422, **changes):
    """Posts the prompt form with something wrong in it; it must come back filled, with no job made."""
    sent = GOOD | changes
    answer = client.post("/studio/jobs/", sent)
    assert answer.status_code == status, answer.status_code
    assert not Job.objects.exists()
    form = answer.context["form"]
    for name, value in sent.items():
        assert form[name].value() == value, f"{name} was lost"
    assert sentence_of(answer)
    return answer
