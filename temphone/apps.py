from django.apps import AppConfig


class TemphoneConfig(AppConfig):
    name = "temphone"
