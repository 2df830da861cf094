"""The texts that are to be translated, as they stand in templates and modules. No GNU gettext is needed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

# What a call's arguments are, in order: c context, s singular, p plural.
SHAPES = {
    "gettext": "s",
    "gettext_lazy": "s",
    "gettext_noop": "s",
    "ngettext": "sp",
    "ngettext_lazy": "sp",
    "pgettext": "cs",
    "pgettext_lazy": "cs",
    "npgettext": "csp",
    "npgettext_lazy": "csp",
}
IN_TEMPLATES = re.compile(rf"\b({'|'.join(SHAPES)}|_)\(")
# Rules speak English to programs; a page says it in the reader's language (``temphone.said``).
RULES = re.compile(
    r"(calls|campaigns|contacts)/(actions/|gates|messages|models/|scripts/)"
    r"|temphone/(accounts|webhooks)/(actions|models|guard|actors)|temphone/lib/(errors|words|phone|spreadsheets)"
)
RULE = "rule"  # the context of a sentence with places in it
TRANSLATIONS = ("django.utils.translation", "temphone.kept_words")
NOT_SAID = {"help_text", "default"}
PARTS = (
    "Invalid.field",
    "._field",
    "._problem",
    "_Problem",
    "_about",
)  # what these are told follows a subject
SENTENCE = re.compile(r"[A-Z{].* .*[.?]", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """One text: singular, plural where it counts, context where the words alone do not tell."""

    singular: str
    plural: str = ""
    context: str = ""


def texts(root: Path, sources: tuple[str, ...]) -> dict[Text, set[str]]:
    """All texts beneath the root, with the files that have them."""
    found: dict[Text, set[str]] = {}
    for path in sorted((root / "templates").rglob("*.html")):
        for text in of_template(path.read_text(encoding="utf-8")):
            found.setdefault(text, set()).add(path.relative_to(root).as_posix())
    for path in sorted(path for source in sources for path in (root / source).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        source_text = path.read_text(encoding="utf-8")
        is_of_rules = RULES.match(name) is not None
        if "/migrations/" in name or not (
            is_of_rules or any(module in source_text for module in TRANSLATIONS)
        ):
            continue
        tree = ast.parse(source_text)
        for text in (*of_module(tree), *(of_rules(tree) if is_of_rules else ())):
            found.setdefault(text, set()).add(name)
    return found


def of_template(source: str) -> Iterator[Text]:
    """The texts of a template: of its tags, and of ``_("...")`` in its expressions."""
    code = templatize(source)
    for match in IN_TEMPLATES.finditer(code):
        shape = SHAPES.get(match[1], "s")
        arguments = _literals(code, match.end())[: len(shape)]
        if len(arguments) == len(shape):
            yield _text(shape, arguments)


def _literals(code: str, start: int) -> list[str]:
    """The string literals that begin a call's arguments."""
    found = []
    literal = re.compile(r"\s*,?\s*u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.DOTALL)
    while match := literal.match(code, start):
        found.append(str(ast.literal_eval(match[1])))
        start = match.end()
    return found


def of_module(tree: ast.Module) -> Iterator[Text]:
    """The texts that a module hands to Django's functions, or ours, by whatever names it imports them."""
    names = {
        alias.asname or alias.name: SHAPES[alias.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in TRANSLATIONS
        for alias in node.names
        if alias.name in SHAPES
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            shape = names[node.func.id]
            values = [value.value for value in node.args[: len(shape)] if isinstance(value, ast.Constant)]
            if len(values) == len(shape):
                yield _text(shape, [str(value) for value in values])


def _text(shape: str, arguments: list[str]) -> Text:
    parts = dict(zip(shape, arguments, strict=True))
    return Text(parts["s"], parts.get("p", ""), parts.get("c", ""))


def of_rules(tree: ast.Module) -> Iterator[Text]:
    """The English sentences of a module of rules; what is put into one stands there by its name."""
    for node, is_part in _said_in(tree):
        if isinstance(node, ast.JoinedStr):
            sentence, context = _template(node), RULE
        else:
            sentence, context = str(node.value), ""
        if SENTENCE.fullmatch(sentence) or (is_part and " " in sentence):
            yield Text(sentence, context=context)


def _said_in(node: ast.AST, *, is_part: bool = False) -> Iterator[tuple[ast.JoinedStr | ast.Constant, bool]]:
    """The literals beneath a node, but for docstrings, and for what logs, columns and contacts are told.

    With each: whether it is part of a sentence, which need not begin and end as one does.
    """
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node, is_part
        return
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if called.startswith("log.") or is_docstring or (isinstance(node, ast.keyword) and node.arg in NOT_SAID):
        return
    if called.endswith(PARTS) or (isinstance(node, ast.keyword) and node.arg == "reason"):
        is_part = True
    for child in ast.iter_child_nodes(node):
        yield from _said_in(child, is_part=is_part)


def _template(node: ast.JoinedStr) -> str:
    parts, names = [], set()
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            while name in names:
                name += "_"
            names.add(name)
            parts.append(f"{{{name}}}")
    return "".join(parts)


def _name(value: ast.expr) -> str:
    """What stands in a sentence: ``label`` is itself words of ours, ``text`` a sentence of ours."""
    words = ast.unparse(value)
    if "label" in words.lower() or "_display(" in words:
        return "label"
    if re.search(r"\btext\b", words):
        return "text"
    found = [one.lower().strip("_") for one in re.findall(r"[A-Za-z_]+", words)]
    found = [one for one in found if one and one not in {"self", "pk", "len", "iso", "d", "h", "m", "utf"}]
    return found[-1] if found else "it"
