"""The web processes' way in."""

import os

from django.core.wsgi import get_wsgi_application

from sorahub.backup.marker import Guarded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sorahub.settings")
application = Guarded(get_wsgi_application())
