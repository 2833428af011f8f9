"""Inviting people in the browser, one or thousands, in the order in which it happens.

`forms` takes what an admin wrote, `roster` reads a list of people, `plans` says what would come of it and does it, and
`mailing` sends the mails. What one invitation is, and how it is made and accepted, is `models/invitation.py`'s.
"""
