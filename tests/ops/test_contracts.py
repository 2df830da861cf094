"""The import contracts hold, and each of them sees what it forbids."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PACKAGES = ("calls", "campaigns", "contacts", "temphone")
LINT = Path(sys.executable).with_name("lint-imports")

# Contract, the module that breaks it, and how.
VIOLATIONS = [
    ("kinds", "calls/gates.py", "from calls.actions import scheduling"),
    ("kinds", "contacts/models/people.py", "import contacts.views"),
    ("kinds-across-apps", "campaigns/actions/agents.py", "import calls.tasks"),
    ("kinds-across-apps", "temphone/lib/phone.py", "import contacts.models"),
    ("models", "contacts/models/people.py", "import calls.models"),
    ("actions", "contacts/actions/people.py", "import calls.actions.scheduling"),
    ("temphone", "temphone/telephony/port.py", "import temphone.wiring"),
    ("plain", "temphone/gateway/call.py", "import django.conf"),
    ("plain", "temphone/telephony/port.py", "import calls.states"),
    ("gateway", "temphone/gateway/call.py", "import temphone.lib.ids"),
    ("gateway-alone", "calls/tasks.py", "import temphone.gateway.ledger"),
    ("adapters", "calls/tasks.py", "import temphone.telephony.adapters.gateway"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, to be broken."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def broken(tree: Path, *contracts: str) -> str:
    """What lint-imports says when it finds something, else nothing."""
    named = [f"--contract={contract}" for contract in contracts]
    done = subprocess.run(
        [LINT, "--no-logo", *named],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else ""


def test_all_contracts_hold(tree):
    assert not broken(tree)


@pytest.mark.parametrize(("contract", "module", "violation"), VIOLATIONS)
def test_a_contract_sees_what_it_forbids(tree, contract, module, violation):
    path = tree / module
    whole = path.read_text()
    path.write_text(f"{whole}\n{violation}\n")
    try:
        found = broken(tree, contract)
    finally:
        path.write_text(whole)
    assert "1 broken" in found
    assert module.removesuffix(".py").replace("/", ".") in found


@pytest.mark.parametrize("module", ["calls/helpers.py", "temphone/utils.py", "temphone/webhooks/services.py"])
def test_a_new_kind_of_module_must_be_given_its_place(tree, module):
    (tree / module).touch()
    found = broken(tree, "temphone" if module.startswith("temphone/u") else "kinds")
    (tree / module).unlink()
    assert "not listed as layers" in found
