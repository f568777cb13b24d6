"""The house: which room may import what, held by reading the code's syntax trees.

lab > course > plots > checking > bugs > nn, each seeing only what stands after it.
"""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NUMERICS = {"numpy"}
WIDGETS = {"ipywidgets", "traitlets", "IPython"}
# room: (rooms it may see, packages it may import besides the standard library)
ROOMS = {
    "_validate": (set(), NUMERICS),
    "_files": (set(), set()),
    # writes the picture that a notebook keeps; Pillow comes with matplotlib, whose PNGs need it
    "_stored": (set(), {"IPython", "PIL"}),
    "nn": ({"_validate"}, NUMERICS),
    "nn.training": ({"_validate", "nn"}, NUMERICS | {"tqdm"}),
    "bugs": ({"_validate", "nn"}, NUMERICS),
    "checking": ({"_validate", "_files", "nn", "bugs"}, NUMERICS),
    "bugs.lines": ({"_validate", "nn"}, NUMERICS),
    "own": (
        {"_validate", "nn", "bugs", "checking", "plots"},
        NUMERICS | {"matplotlib", "torch", "jax"},
    ),
    "plots": ({"_validate", "nn", "checking"}, NUMERICS | {"matplotlib"}),
    "course": (
        {"_validate", "_stored", "nn", "checking", "bugs", "plots"},
        NUMERICS | {"matplotlib"} | WIDGETS,
    ),
    "lab": (
        {"_validate", "_stored", "nn", "checking", "bugs", "plots", "course"},
        NUMERICS | {"matplotlib", "anywidget"} | WIDGETS,
    ),
    # inside the lab: what is computed, what is said of it, what is drawn, what is moved
    "lab.model": (
        {"_validate", "nn", "checking", "bugs", "lab.lock"},
        NUMERICS | {"traitlets"},
    ),
    "lab.text": (
        {"_validate", "nn", "checking", "bugs", "plots.palette", "lab.model"},
        NUMERICS,
    ),
    "lab.board": (
        {"_validate", "nn", "checking", "bugs", "plots", "lab.model", "lab.text", "lab.lock"},
        NUMERICS | {"matplotlib", "anywidget", "traitlets"},
    ),
    "server_extension": (set(), set()),
    # what the command starts for a class, in a process of its own
    "demo_server": ({"server_extension"}, {"voila"}),
    # the command: it starts JupyterLab as a program of its own, and imports nothing of it
    "command": ({"checking", "lesson_files"}, set()),
    "__main__": ({"command"}, set()),
    "lesson_files": ({"_files"}, set()),
}
LONGEST = 60  # lines of a function without its docstring; most are shorter


@cache
def modules(root):
    """Return (dotted name inside gradlab, path, syntax tree) of every module under `root`."""
    found = []
    for path in sorted((root / "gradlab").rglob("*.py")):
        parts = path.relative_to(root / "gradlab").with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found.append((name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def room_of(name):
    """Return the longest entry of ROOMS that `name` stands in."""
    parts = name.split(".")
    heads = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((head for head in heads if head in ROOMS), None)


def imports(tree, package):
    """Yield (dotted name imported, is it inside a function) wherever an import stands."""
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((f"{base}.{alias.name}", id(node) in lazy) for alias in node.names)


def violations(root):
    """Return one line for every import that points up, or out to a package not allowed there."""
    found = []
    for name, path, tree in modules(root):
        package = ["gradlab", *name.split(".")] if name else ["gradlab"]
        if path.name != "__init__.py":
            package = package[:-1]
        room = room_of(name)
        if name and room is None:
            found.append(f"gradlab.{name} is no room of this house: name it in ROOMS")
            continue
        for target, lazy in imports(tree, package):
            if not allowed(room, target, lazy):
                found.append(f"gradlab{'.' * bool(name)}{name} must not import {target}")
    return found


def allowed(room, target, lazy):
    """Tell whether `room` (None is gradlab/__init__) may import `target`."""
    top, _, inside = target.partition(".")
    if target.startswith(("matplotlib.pyplot", "pylab", "matplotlib.pylab")):
        return False
    if target in {"importlib", "importlib.import_module"}:  # a name in a string is no arrow we see
        return room is None
    if top in sys.stdlib_module_names:
        return True
    if room is None:  # the front door: heavy rooms only when somebody asks for them
        heavy = inside.split(".")[0] in {"lab", "course", "plots"}
        return top == "gradlab" and (lazy or not heavy)
    rooms, packages = ROOMS[room]
    if top == "gradlab":
        seen = inside.split(".")[0]
        if not seen:  # the front door itself: whoever stands below it would import in a circle
            return room.split(".")[0] == "lab"
        return any(f"{inside}.".startswith(f"{place}.") for place in {room, *rooms})
    return top in packages


def long_ones(root):
    """Return the functions of gradlab that outgrew LONGEST."""
    found = []
    for name, _, tree in modules(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                prose = node.body[0] if ast.get_docstring(node) else None
                length = node.end_lineno - node.lineno + 1
                length -= prose.end_lineno - prose.lineno + 1 if prose else 0
                if length > LONGEST:
                    found.append(f"{name}.{node.name}: {length} lines")
    return found


def graph_of(root):
    """Return {module: the modules of gradlab that it imports}, and {module: (path, tree)}.

    At any place, but for what only the type checker sees.
    """
    trees = {f"gradlab.{name}".rstrip("."): (path, tree) for name, path, tree in modules(root)}
    graph = {}
    for module, (path, tree) in trees.items():
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        # `from gradlab.lab import lock` names a module, or else a thing in one
        targets = {
            target if target in trees else target.rpartition(".")[0]
            for target, _ in imports(as_run(tree), package)
        }
        graph[module] = (targets & trees.keys()) - {module}
    return graph, trees


def as_run(tree):
    """Return a module without the annotations' imports, which never run."""
    run = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return ast.Module(run, [])


def reached_from(start, graph):
    """Return all modules that importing `start` may bring, itself included."""
    reached, todo = set(), [start]
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo.extend(graph[module])
    return reached


def circles(root):
    """Return the modules that reach themselves; a package's door is no step of a way."""
    graph, trees = graph_of(root)
    inside = {module: targets for module, targets in graph.items() if not is_door(trees, module)}
    inside = {module: targets & inside.keys() for module, targets in inside.items()}
    return sorted(
        module
        for module, targets in inside.items()
        if any(module in reached_from(target, inside) for target in targets)
    )


def is_door(trees, module):
    return trees[module][0].name == "__init__.py"


def registries(root):
    """Return where importing a module changes what belongs to another one, or notes a subclass."""
    found = []
    for name, _, tree in modules(root):
        theirs = {
            (alias.asname or alias.name).partition(".")[0]
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and (node.level or "gradlab" in node.module)
            for alias in node.names
        }
        changed = [root_name(target) for target in filled_at_import(tree)]
        found += [f"{name}: {changes}" for changes in changed if changes in theirs]
        found += [
            f"{name}: {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name == "__init_subclass__"
        ]
    return found


def filled_at_import(tree):
    """Yield what a module calls, decorates with or assigns into while it is imported."""
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value.func
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (t for t in targets if isinstance(t, ast.Subscript | ast.Attribute))
            yield from [node.target] if isinstance(node, ast.AugAssign) else ()
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from node.decorator_list


def root_name(node):
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def widgets_behind(root, class_name):
    """Return the modules with ipywidgets that the module of `class_name` reaches inside gradlab."""
    graph, trees = graph_of(root)
    starts = [
        module
        for module, (_, tree) in trees.items()
        if any(isinstance(node, ast.ClassDef) and node.name == class_name for node in tree.body)
    ]
    assert starts, f"no class {class_name} in gradlab"
    return sorted(
        module
        for module in reached_from(starts[0], graph)
        if any(t.split(".")[0] == "ipywidgets" for t, _ in imports(trees[module][1], []))
    )


def test_arrows_point_down():
    assert violations(ROOT) == []


def test_no_circles():
    assert circles(ROOT) == []


def test_no_registry_is_filled_by_an_import():
    assert registries(ROOT) == []


def test_no_function_grew_too_long():
    assert long_ones(ROOT) == []


def test_the_labs_state_knows_no_widgets():
    assert widgets_behind(ROOT, "LabState") == []


@pytest.mark.parametrize(
    "heavy",
    ["matplotlib", "ipywidgets", "traitlets", "IPython", "gradlab.lab", "torch", "jax"],
)
def test_importing_gradlab_stays_light(heavy):
    code = f"import gradlab, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("nn/layers.py", "import matplotlib"),
        ("nn/layers.py", "import tqdm"),
        ("nn/layers.py", "from ..checking import check"),
        ("nn/layers.py", "import torch"),
        ("bugs/museum.py", "from gradlab.checking import check"),
        ("checking/report.py", "def draw():\n    import ipywidgets"),
        ("checking/report.py", "from gradlab import plots"),
        ("bugs/lines/edits.py", "from gradlab.bugs import museum"),
        ("plots.py", "from matplotlib import pyplot as plt"),
        ("plots.py", "from .lab import Lab"),
        ("course/exercises.py", "from gradlab.lab import Lab"),
        ("lab/lab.py", "import matplotlib.pyplot"),
        ("lab/model/result.py", "from gradlab.lab.text import banner"),
        ("lab/text/banner.py", "from gradlab.lab.state import LabState"),
        ("lab/board/scene.py", "from gradlab.lab.controls import make"),
        ("lab/board/scene.py", "from PIL import Image"),
        ("course/exercises.py", "import gradlab as gl"),
        ("course/exercises.py", "from importlib import import_module"),
        ("__init__.py", "from .lab import Lab"),
        ("attic.py", "import math"),
    ],
)
def test_a_planted_arrow_is_seen(tmp_path, module, line):
    path = tmp_path / "gradlab" / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line)
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("nn/training.py", "from tqdm.auto import tqdm"),
        ("checking/report.py", "from ..nn import network"),
        ("checking/fast/kinks.py", "from gradlab.checking.schemes import Scheme"),
        ("checking/diagnosis.py", "from gradlab.bugs.suspects import suspects"),
        ("lab/lab.py", "import gradlab as gl"),
        ("lab/text/banner.py", "from gradlab.lab.model.result import Result"),
        ("lab/lab.py", "from matplotlib.figure import Figure\nfrom .. import plots"),
        ("_stored.py", "from PIL import Image"),
        ("__init__.py", "from .nn import mlp\ndef __getattr__(name):\n    from .lab import Lab"),
    ],
)
def test_an_arrow_that_points_down_is_fine(tmp_path, module, line):
    path = tmp_path / "gradlab" / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line)
    assert violations(tmp_path) == []


def test_planted_length_and_widgets_are_seen(tmp_path):
    (tmp_path / "gradlab").mkdir()
    body = "\n".join(["class LabState: ...", "from .view import b", "def f():", *["    1"] * 61])
    (tmp_path / "gradlab" / "state.py").write_text(body)
    (tmp_path / "gradlab" / "view.py").write_text("import ipywidgets")
    assert long_ones(tmp_path) == ["state.f: 62 lines"]
    assert widgets_behind(tmp_path, "LabState") == ["gradlab.view"]


def house(root, **files):
    for name, text in files.items():
        path = root / "gradlab" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    "back", ["import gradlab.nn.a", "from gradlab.nn import a", "def f():\n    from . import a"]
)
def test_a_planted_circle_is_seen(tmp_path, back):
    house(tmp_path, nn__a="from gradlab.nn.b import B", nn__b="from .c import C", nn__c=back)
    assert circles(tmp_path) == ["gradlab.nn.a", "gradlab.nn.b", "gradlab.nn.c"]


@pytest.mark.parametrize(
    "line",
    [
        "LAYERS['own'] = 1",
        "LAYERS.update(own=1)",
        "LAYERS += [1]",
        "LAYERS.last = 1",
        "@LAYERS.register('own')\nclass Own: ...",
        "@LAYERS\ndef own(): ...",
        "class Own:\n    def __init_subclass__(cls): ...",
    ],
)
def test_a_planted_registry_is_seen(tmp_path, line):
    house(tmp_path, nn__own=f"from gradlab.nn.layers import LAYERS\n{line}")
    assert len(registries(tmp_path)) == 1


def test_what_is_no_circle_and_no_registry_is_left_alone(tmp_path):
    own = "from gradlab.nn.layers import LAYERS\nOWN = {**LAYERS}\nOWN['own'] = LAYERS[0]"
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gradlab.nn import own"
    house(tmp_path, nn__own=own, nn__layers=types, checking__b="from gradlab.nn import own")
    assert registries(tmp_path) == circles(tmp_path) == []
