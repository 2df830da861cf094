"""Every change to staff, API keys and one's own account, as a verb."""

from temphone.accounts.actions.keys import change_key, create_key, get_key, revoke_key
from temphone.accounts.actions.own import change_password, save_account

__all__ = ["change_key", "change_password", "create_key", "get_key", "revoke_key", "save_account"]
