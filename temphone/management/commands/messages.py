"""Bring the catalogs of translations up to the texts of the sources. Needs no GNU gettext."""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand

from temphone.management.extracting import Text, texts

SOURCES = ("calls", "campaigns", "contacts", "temphone")
WIDTH = 110
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


class Command(BaseCommand):
    help = "Bring locale/*/LC_MESSAGES/django.po up to the texts of the sources, and say what is to be done."
    requires_system_checks = ()

    def handle(self, **_: object) -> None:
        """Keep what is translated, add what is new, take away what is no longer there."""
        found = texts(settings.BASE_DIR, SOURCES)
        for path in sorted(settings.LOCALES.rglob("*.po")):
            catalog = brought_up(path, found)
            path.write_bytes(written(catalog))
            todo = [message for message in catalog if message.id and not is_translated(message)]
            name = path.relative_to(settings.BASE_DIR)
            self.stdout.write(f"{name}: {len(catalog)} texts, {len(todo)} to be translated.")


def read(path: Path) -> Catalog:
    """A catalog's source."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def brought_up(path: Path, found: dict[Text, set[str]]) -> Catalog:
    """The catalog with the texts that were found and no others, in their order, translated as they were."""
    old = read(path)
    new = Catalog(locale=old.locale, domain="django", fuzzy=False)
    for text in sorted(found, key=lambda text: (min(found[text]), text)):
        known = old.get(text.singular, text.context or None)
        new.add(
            (text.singular, text.plural) if text.plural else text.singular,
            known.string if known else "",
            locations=[(min(found[text]), 0)],
            context=text.context or None,
        )
    return new


def written(catalog: Catalog) -> bytes:
    """A catalog's source, with nothing in it that changes though no text does."""
    content = BytesIO()
    head = HEADER.format(language=catalog.locale_identifier, plurals=catalog.plural_forms)
    write_po(content, catalog, width=WIDTH, omit_header=True, include_lineno=False)
    return head.encode() + content.getvalue()


def is_translated(message: Message) -> bool:
    """Whether every form of it is there."""
    forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
    return bool(forms) and all(forms)
