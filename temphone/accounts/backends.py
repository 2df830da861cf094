"""Who is logged in, read with what every page asks of them."""

from django.contrib.auth.backends import ModelBackend

from temphone.accounts.models import User


class Passwords(ModelBackend):
    """Django's own; whether somebody has two steps comes in the one query that reads them."""

    def get_user(self, user_id: int) -> User | None:
        """Whoever the session is of, unless they may not log in any more."""
        user = User.objects.select_related("two_steps").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
