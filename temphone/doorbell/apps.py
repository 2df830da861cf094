from django.apps import AppConfig


class DoorbellConfig(AppConfig):
    name = "temphone.doorbell"
