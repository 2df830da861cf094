#!/usr/bin/env python3
"""Django's commands, for this project."""

import os
import sys

from temphone.lib.environment import BadSetting


def main() -> None:
    """Run the command line; a wrong setting is one clear line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "temphone.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as error:
        sys.exit(f"temphone: {error}")


if __name__ == "__main__":
    main()
