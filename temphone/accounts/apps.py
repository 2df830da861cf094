from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "temphone.accounts"

    def ready(self) -> None:
        """Each login keeps which device it came from, and none is by half."""
        from django.contrib.auth.signals import user_logged_in

        from temphone.accounts.devices import remember_device
        from temphone.accounts.half_way import refuse_one_step

        user_logged_in.connect(refuse_one_step)
        user_logged_in.connect(remember_device)
