"""The rooms import only downward: DESIGN's floors, read from the import statements."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOOR_1 = {"warehouse", "propensity", "indexes", "insights", "campaigns", "prompts"}
ROOMS = {"segments", *FLOOR_1, "assistant", "serving", "eval"}
ALLOWED = {
    "segments": set(),
    **{room: {"segments"} for room in FLOOR_1},
    "assistant": {"segments", *FLOOR_1},
    "serving": {"segments", *FLOOR_1, "assistant"},
    # The runner and the benchmarks start a server through the command line's own helpers.
    "eval": {"segments", *FLOOR_1, "assistant", "serving"},
}


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & ROOMS


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_rooms_below(room):
    for path in sorted((ROOT / room).rglob("*.py")):
        upward = imported_rooms(path) - ALLOWED[room] - {room}
        assert not upward, f"{path.relative_to(ROOT)} imports {', '.join(sorted(upward))}"


def test_segments_uses_the_standard_library_only():
    import sys

    for path in sorted((ROOT / "segments").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guarded = {
            id(child)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for child in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in guarded:
                continue
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                assert top == "segments" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_modules_do_not_import_each_other_in_circles():
    graph = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[module] = {
                node.module
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.ImportFrom) and node.module
            }
    state: dict[str, int] = {}

    def visit(module, trail):
        state[module] = 1
        for target in graph.get(module, ()):
            if target in graph and target != module:
                assert state.get(target) != 1, f"circle: {' -> '.join([*trail, module, target])}"
                if target not in state:
                    visit(target, [*trail, module])
        state[module] = 2

    for module in graph:
        if module not in state:
            visit(module, [])
