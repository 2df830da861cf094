"""Every change to staff, API keys and one's own account, as a verb."""

from temphone.accounts.actions.keys import change_key, create_key, get_key, revoke_key
from temphone.accounts.actions.own import (
    change_password,
    choose_zone,
    end_other_sessions,
    end_session,
    save_account,
    save_look,
)
from temphone.accounts.actions.team import (
    accept_link,
    add_person,
    change_person,
    get_person,
    invited,
    make_link,
    switch_person,
    version_of,
)
from temphone.accounts.actions.two_steps import (
    Tried,
    renew_codes,
    reset_two_steps,
    take_code,
    turn_off,
    turn_on,
)

__all__ = [
    "Tried",
    "accept_link",
    "add_person",
    "change_key",
    "change_password",
    "change_person",
    "choose_zone",
    "create_key",
    "end_other_sessions",
    "end_session",
    "get_key",
    "get_person",
    "invited",
    "make_link",
    "renew_codes",
    "reset_two_steps",
    "revoke_key",
    "save_account",
    "save_look",
    "switch_person",
    "take_code",
    "turn_off",
    "turn_on",
    "version_of",
]
