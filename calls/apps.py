from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        """Whoever begins a task has heard its bell."""
        from django_q.signals import pre_execute  # both have models

        from calls.models import Doorbell

        def hear(task: dict[str, object], **_: object) -> None:
            if isinstance(task["func"], str):
                Doorbell.hear(task["func"])

        pre_execute.connect(hear, weak=False, dispatch_uid="doorbell")
