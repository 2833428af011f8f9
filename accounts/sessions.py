"""Sessions in the database, for keys that could be ours: any other cookie is a stranger's, not an error."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key):
        """PostgreSQL refuses to look for a key with a NUL in it, and a quoted cookie can carry one."""
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()
