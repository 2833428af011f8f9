"""The project itself as an app: it holds commands and checks, no models."""

from django.apps import AppConfig


class SorahubConfig(AppConfig):
    name = "sorahub"
