"""What import-linter cannot say of parts of Django."""

import ast
from pathlib import Path

import pytest

import wagtail_pim

PACKAGE = Path(wagtail_pim.__file__).parent


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return modules


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.glob("client/*.py")), ids=lambda path: path.name
)
def test_the_client_knows_no_database(path):
    assert not {m for m in imported_modules(path) if m.startswith("django.db")}


def test_mapping_knows_neither_database_nor_network():
    modules = imported_modules(PACKAGE / "catalog" / "mapping.py")
    assert not {m for m in modules if m.startswith(("django.db", "requests"))}


def test_only_conf_reads_djangos_settings():
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
        and any(m.startswith("django.conf") for m in imported_modules(path))
    }
    assert readers == {"conf.py", "models/runs.py"}


def test_models_read_the_user_model_alone_as_migrations_want_it():
    tree = ast.parse((PACKAGE / "models" / "runs.py").read_text())
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "settings"]
    attributes = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.value in uses
    ]
    assert set(attributes) == {"AUTH_USER_MODEL"}
    assert len(attributes) == len(uses)
