"""The catalogs are those of their sources, and the sources have every text, translated whole."""

import re
import shutil
from functools import cache
from string import Formatter

import pytest
from django.conf import settings
from django.core.management import call_command

from temphone.lib import catalogs
from temphone.management.commands import messages
from temphone.management.extracting import RULE, Text, of_module, of_rules, of_template, texts

SOURCES = sorted(settings.LOCALES.rglob("*.po"))
PERCENT = re.compile(r"%\(\w+\)s")


def places(text: str) -> list[str]:
    """What is put into a text, by name; examples of a message's own syntax are none."""
    text = text.replace("{{", "").replace("}}", "")
    return sorted({name for _, name, *_ in Formatter().parse(text) if name} | set(PERCENT.findall(text)))


@cache
def all_texts() -> set[Text]:
    return set(texts(settings.BASE_DIR, messages.SOURCES))


def in_source(path) -> set[Text]:
    """The texts of a catalog's source."""
    return {
        Text(one.id, context=one.context or "")
        if isinstance(one.id, str)
        else Text(*one.id, context=one.context or "")
        for one in messages.read(path)
        if one.id
    }


def test_there_is_spanish():
    assert [path.parents[1].name for path in SOURCES] == ["es"]


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_catalog_has_the_texts_of_the_sources_and_no_others(path):
    found = all_texts()

    assert found - in_source(path) == set(), "make messages, then translate them"
    assert in_source(path) - found == set(), "make messages"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_every_text_is_translated_with_the_same_places(path):
    for one in messages.read(path):
        if not one.id:
            continue
        assert messages.is_translated(one), one.id
        assert not one.fuzzy, one.id
        sources = [one.id] if isinstance(one.id, str) else one.id
        for form in [one.string] if isinstance(one.string, str) else one.string:
            assert places(form) in [places(source) for source in sources], (one.id, form)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_catalog_stands_as_the_command_writes_it(path, tmp_path, settings):
    settings.LOCALES = tmp_path / "locale"
    shutil.copytree(path.parents[2], settings.LOCALES)
    settings.BASE_DIR, here = tmp_path, settings.BASE_DIR
    for name in ("templates", *messages.SOURCES):
        (tmp_path / name).symlink_to(here / name)

    call_command("messages", verbosity=0)

    copy = settings.LOCALES / path.relative_to(path.parents[2])
    assert copy.read_bytes() == path.read_bytes()


def test_another_source_has_another_folder_so_that_no_catalog_is_stale(tmp_path):
    sources, within = tmp_path / "locale", tmp_path / "data"
    source = sources / "es" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid ""\nmsgstr "Language: es\\n"\n\nmsgid "Yes"\nmsgstr "Sí"\n', encoding="utf-8")
    first = catalogs.folder_of(sources, within)
    catalogs.compile_all(sources, first)
    assert "Sí".encode() in (first / "es" / "LC_MESSAGES" / "django.mo").read_bytes()

    source.write_text(source.read_text(encoding="utf-8").replace("Sí", "Claro"), encoding="utf-8")

    second = catalogs.folder_of(sources, within)
    assert second != first
    catalogs.compile_all(sources, second)
    assert b"Claro" in (second / "es" / "LC_MESSAGES" / "django.mo").read_bytes()


def test_what_is_there_is_not_made_again(tmp_path):
    folder = catalogs.folder_of(settings.LOCALES, tmp_path)
    catalogs.compile_all(settings.LOCALES, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mo")}

    catalogs.compile_all(settings.LOCALES, folder)

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    assert len(before) == len(SOURCES)


def test_texts_are_found_in_templates():
    source = """{% load i18n %}{% translate "One" %}{% translate "Two" context "of them" %}
    {% include "a" with b=_("Three") %}
    {% blocktranslate with n=x %}It's {{ n }}{% endblocktranslate %}
    {% blocktranslate count n=x %}{{ n }} call{% plural %}{{ n }} calls{% endblocktranslate %}"""

    assert set(of_template(source)) == {
        Text("One"),
        Text("Two", context="of them"),
        Text("Three"),
        Text("It's %(n)s"),
        Text("%(n)s call", "%(n)s calls"),
    }


def test_texts_are_found_in_modules_by_whatever_name():
    source = """
from django.utils.translation import gettext as _, ngettext_lazy as counted, pgettext
from temphone.kept_words import gettext as kept
A = _("One")
E = kept("Five")
B = counted("{n} call", "{n} calls", "n")
C = pgettext("of them", "Two")
D = print("Three")
"""
    import ast

    assert set(of_module(ast.parse(source))) == {
        Text("One"),
        Text("Five"),
        Text("{n} call", "{n} calls"),
        Text("Two", context="of them"),
    }


def test_sentences_are_found_in_rules_with_the_names_of_what_is_put_in():
    source = '''
"""Not this docstring."""
def act(call):
    """Nor this one."""
    log.warning("Nor this: %s.", call)
    raise Conflict(f"Call {call.pk} is {call.status.label.lower()}.", code="call_over")
    raise Invalid.field("at", "must be in the future.")
    raise Refused("There is no line.")
'''
    import ast

    assert set(of_rules(ast.parse(source))) == {
        Text("Call {call} is {label}.", context=RULE),
        Text("must be in the future."),
        Text("There is no line."),
    }
