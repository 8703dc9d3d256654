"""The order of imports: rooms below never import rooms above, and no import runs in a circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "langid"
# From the ground up; a room imports itself and the rooms or modules named for it. "root" are the
# modules that stand in no room; of these, the first entry's stand below everything.
GROUND = {"langid.errors", "langid.files", "langid.version"}
MAY_IMPORT = {
    "ground": set(),
    "audio": {"ground"},
    "hub": {"ground"},
    "root": {"ground", "audio", "hub"},
    "page": {"ground", "root", "audio", "langid.evaluation.report"},  # types only
    "space": {"ground", "root", "page"},
    "data": {"ground", "root", "audio", "hub"},
    "evaluation": {"ground", "root", "audio", "hub", "data"},
    "training": {"ground", "root", "audio", "hub", "data", "evaluation"},
}
# The command line starts every command that has no script of its own.
FRONT = "langid.__main__"
MODULES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules of the package that a file imports, and whether that happens at its own import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    later = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(function, ast.If) and ast.unparse(function.test) == "TYPE_CHECKING")
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in inner]
        else:
            continue
        yield from ((name, node not in later) for name in names if name in MODULES)


def room(module: str) -> str:
    parts = module.split(".")
    if module in GROUND:
        return "ground"
    return parts[1] if len(parts) > 1 and (ROOT / parts[1]).is_dir() else "root"


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {FRONT}))
def test_a_room_imports_only_what_stands_below_it(module):
    own = room(module)
    upwards = {
        name
        for name, _ in imports(MODULES[module])
        if not {name, room(name)} & (MAY_IMPORT[own] | {own})
    }
    assert not upwards


def test_no_circle():
    graph = {
        module: {name for name, at_import in imports(path) if at_import and name != module}
        for module, path in MODULES.items()
    }
    list(TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_the_page_knows_no_gradio_and_the_root_is_small():
    for path in (ROOT / "page").glob("*.py"):
        assert "gradio" not in {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        } | {
            (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
    assert len(list(ROOT.glob("*.py"))) <= 14
