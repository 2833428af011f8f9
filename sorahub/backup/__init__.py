"""Backups of the whole house: the database and every file that a row names, verified, and restored without bringing
back what was ended since.

A folder of backups holds `objects/` (files under their sha256, shared by all backups in it) and a folder for each
backup with its database and its signed manifest. The journal of what was ended lies elsewhere on purpose.
"""


class Refused(Exception):
    """What can't be done, in a sentence that the operator can act on."""
