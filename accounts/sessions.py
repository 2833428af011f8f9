"""Sessions in the database, for keys that could be ours: any other cookie is a stranger's, not an error."""

from django.contrib.sessions.backends import db
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from .prepared import Slot, prepared

_open_session = prepared(
    lambda: SessionStore.get_model_class().objects.filter(
        session_key=Slot("key", CharField()), expire_date__gt=Slot("now", DateTimeField())
    )
)


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key):
        """PostgreSQL refuses to look for a key with a NUL in it, and a quoted cookie can carry one."""
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()

    def _get_session_from_db(self):
        """As Django's, by a question that is put together once: every page of a member asks it."""
        found = next(iter(_open_session(key=self.session_key, now=timezone.now())), None)
        if found is None:
            self._session_key = None
        return found
