"""From a YAML file, what it extends and the overrides to a suite; all mistakes reported at once.

A suite may say `extends: other` and list only what differs: mappings merge key by key, everything
else replaces. `other` is a file beside it, a path, or the name of a suite that ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.config import name_checks
from harness.config.axes import AXIS_NAMES
from harness.config.choose import lift_choices
from harness.config.matrix import matrix_mistakes
from harness.config.validation_messages import clipped, explain, shown
from harness.config.yaml_reading import read_yaml
from harness.config.yaml_tree import (
    LocatedMistake,
    LocatedValue,
    Mistake,
    SourcePosition,
    all_mistakes,
    merge,
)
from harness.data.corpora import CORPORA
from harness.errors import SuiteError, choices
from harness.files import is_file
from harness.specs import Axes, HeadSpec, ListedCorpus, Spec, Suite, TrainingSpec


def load_suite(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Suite:
    """Read a suite, with every backbone and pooling by its canonical name.

    Args:
        path_or_name: a YAML file, with or without its ending, or the name of a suite that ships
        overrides: `key=value` each: a dotted key and a YAML value, laid over the file last

    Raises:
        SuiteError: there is no such file, or it is mistaken; the message lists every mistake
            with its place, what was found, what is allowed and the nearest right name.
    """
    file = _find(str(path_or_name), Path())
    tree, mistakes = _read_chain(file, above=())
    for text in overrides:
        override, more = _read_override(text)
        mistakes += more
        tree = merge(tree, override)
    data = tree.plain()
    suite, found = _validate(data)
    mistakes += _locate_mistakes(found, tree)
    if mistakes or suite is None:
        raise all_mistakes(_shown_path(file), mistakes)
    return name_checks.canonical(suite)


def load_corpus_spec(path_or_name: str) -> ListedCorpus:
    """One corpus: a known name, or a YAML file that says what an item of `corpora` would.

    Raises:
        SuiteError: it is neither, or the file is mistaken.
    """
    if path_or_name in CORPORA:
        return ListedCorpus(name=path_or_name)
    file = Path(path_or_name)
    if not is_file(file):
        hint = choices(path_or_name, CORPORA)
        raise SuiteError(f"no corpus {path_or_name!r}, and no file of that name: {hint}")
    tree, mistakes = _read_file(file)
    data = tree.plain()
    spec, found = None, name_checks.name_mistakes({"corpora": [data]})
    try:
        spec = ListedCorpus.model_validate(data)
    except ValidationError as error:
        mistakes += _locate_mistakes(explain(error, data, ListedCorpus), tree)
    mistakes += _locate_mistakes([Mistake(item.path[2:], item.text) for item in found], tree)
    if mistakes or spec is None:
        raise all_mistakes(_shown_path(file), mistakes)
    return spec


def shipped_suites() -> dict[str, Path]:
    """The suites that come with the harness, by name."""
    folder = Path(str(resources.files("suites")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _find(written: str, folder: Path) -> Path:
    shipped = shipped_suites()
    for candidate in (folder / written, folder / f"{written}.yaml", shipped.get(written)):
        if candidate and is_file(candidate):
            return candidate
    place = shown(str(folder / written))
    raise SuiteError(
        f"no suite at {place}, and none of that name ships with the harness: "
        f"{choices(Path(written).stem, shipped)}"
    )


def _shown_path(file: Path) -> str:
    path = file.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _read_chain(file: Path, above: tuple[Path, ...]) -> tuple[LocatedValue, list[LocatedMistake]]:
    tree, mistakes = _read_file(file)
    parent = tree.value.pop("extends", None)
    if parent is None:
        return tree, mistakes
    if not isinstance(parent.value, str):
        text = f"extends: found {shown(parent.plain())}, needs the name or path of one suite"
        return tree, [*mistakes, LocatedMistake(parent.position, text)]
    chain = (*above, file.resolve())
    try:
        base = _find(parent.value, file.parent)
    except SuiteError as error:
        return tree, [*mistakes, LocatedMistake(parent.position, f"extends: {error}")]
    if base.resolve() in chain:
        circle = " → ".join(path.name for path in (*chain, base))
        text = f"extends goes round in a circle: {circle}"
        return tree, [*mistakes, LocatedMistake(parent.position, text)]
    lower, more = _read_chain(base, chain)
    return merge(lower, tree), [*more, *mistakes]


def _read_file(file: Path) -> tuple[LocatedValue, list[LocatedMistake]]:
    source = _shown_path(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{source}: cannot be read as UTF-8 text: {error}") from error
    tree, mistakes = read_yaml(text, source)
    if not isinstance(tree.value, dict):
        found = "nothing" if tree.value is None else shown(tree.plain())
        raise SuiteError(f"{tree.position}: a suite is a mapping (key: value), this is {found}")
    return _with_full_axis_names(tree, mistakes), mistakes


def _with_full_axis_names(tree: LocatedValue, mistakes: list[LocatedMistake]) -> LocatedValue:
    # an axis has several names: only under one of them can a child's replace its parent's
    matrix = tree.value.get("matrix")
    if matrix is None or not isinstance(matrix.value, dict):
        return tree
    written: dict[str, LocatedValue] = matrix.value
    axes: dict[str, LocatedValue] = {}
    for name, item in written.items():
        axis = AXIS_NAMES.get(name, name)
        if axis in axes:
            text = f"matrix: {name} names the axis {axis} a second time"
            mistakes.append(LocatedMistake(item.position, text))
        axes[axis] = item
    return replace(tree, value=tree.value | {"matrix": replace(matrix, value=axes)})


def _read_override(text: str) -> tuple[LocatedValue, list[LocatedMistake]]:
    position = SourcePosition(f"--set {clipped(text)}")
    key, equals, written = text.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        needs = "needs key=value, for example training.epochs=2"
        return LocatedValue({}, position), [LocatedMistake(position, needs)]
    if steps[0] == "matrix" and len(steps) > 1:
        axis = ".".join(steps[1:])
        steps = ["matrix", AXIS_NAMES.get(axis, axis)]
    try:
        value, mistakes = read_yaml(written, str(position))
    except SuiteError as error:
        return LocatedValue({}, position), [LocatedMistake(position, str(error).partition(": ")[2])]
    tree = _at_position(value, position)
    for step in reversed(steps):
        tree = LocatedValue({step: tree}, position)
    return tree, [LocatedMistake(position, mistake.text) for mistake in mistakes]


def _locate_mistakes(mistakes: Sequence[Mistake], tree: LocatedValue) -> list[LocatedMistake]:
    return [LocatedMistake(tree.position_of(mistake.path), mistake.text) for mistake in mistakes]


def _at_position(tree: LocatedValue, position: SourcePosition) -> LocatedValue:
    if isinstance(tree.value, dict):
        return LocatedValue(
            {key: _at_position(item, position) for key, item in tree.value.items()}, position
        )
    if isinstance(tree.value, list):
        return LocatedValue([_at_position(item, position) for item in tree.value], position)
    return replace(tree, position=position)


def _validate(written: dict[str, Any]) -> tuple[Suite | None, list[Mistake]]:
    suite, mistakes = None, []
    data, choice_mistakes = lift_choices(written, name_checks.listed_task(written))
    try:
        suite = Suite.model_validate(data)
    except ValidationError as error:
        mistakes = explain(error, data, Suite)
    base = Axes(
        head=_valid_or_default(HeadSpec, data.get("head")),
        training=_valid_or_default(TrainingSpec, data.get("training")),
    )
    mistakes += choice_mistakes + name_checks.name_mistakes(data)
    return suite, mistakes + matrix_mistakes(data, base)


def _valid_or_default(schema: type[Spec], data: Any) -> Any:
    try:
        return schema.model_validate(data)
    except ValidationError:
        return schema()
