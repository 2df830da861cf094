import logging

from django.apps import AppConfig
from django.db import DatabaseError

logger = logging.getLogger(__name__)


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        """Whoever begins a task has heard its bell."""
        from django_q.signals import pre_execute  # both have models

        from calls.models import Doorbell

        def hear(task: dict[str, object], **_: object) -> None:
            try:
                Doorbell.hear(str(task["func"]))
            except DatabaseError as error:  # would end the worker, which is to try again
                logger.warning("database: %s", type(error).__name__)

        pre_execute.connect(hear, weak=False, dispatch_uid="doorbell")
