from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "temphone.accounts"

    def ready(self) -> None:
        """Each login keeps which device it came from, and none is by half; the audit log has them all."""
        from django.contrib.auth.models import update_last_login
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

        from temphone.accounts import entering
        from temphone.accounts.devices import remember_device
        from temphone.accounts.half_way import refuse_one_step

        # Django's own was there before: whoever is refused has not logged in, and keeps the link they have.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(refuse_one_step)
        user_logged_in.connect(remember_device)
        user_logged_in.connect(update_last_login, dispatch_uid="update_last_login")
        user_logged_in.connect(entering.came_in)
        user_logged_out.connect(entering.went)
        user_login_failed.connect(entering.failed)  # after django-axes, an app before ours
