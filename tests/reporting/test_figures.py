"""The figure: what a reader can tell from it, and that nothing keeps it from being drawn."""

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.reporting.figure_series import panels_of, series_of
from harness.reporting.figures import write_figures
from harness.reporting.label_places import Box
from harness.specs import BackboneSpec
from harness.tasks import TASKS

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: Path) -> ElementTree.Element:
    return ElementTree.fromstring(svg.read_text(encoding="utf-8"))  # noqa: S314 - our own file


def texts(svg: Path) -> list[str]:
    return [
        "".join(element.itertext()).strip() for element in parsed(svg).iter() if _is_text(element)
    ]


def _is_text(element: ElementTree.Element) -> bool:
    return element.tag.endswith("}text")


def test_the_figure_names_every_backbone_corpus_depth_and_chance(run: Any, tmp_path: Path) -> None:
    svg, png = write_figures(run.report(), tmp_path)
    assert (svg, png) == (tmp_path / "quality.svg", tmp_path / "quality.png")
    said = texts(svg)
    for words in ("wavlm-base", "emotion2vec_plus_base", "ravdess", "chance", "0", "3"):
        assert words in said
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_dashed_line_is_the_first_baseline_of_the_task(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(TASKS["classification"], baselines=("majority", "chance"))
    monkeypatch.setitem(TASKS, "classification", card)
    assert {panel.baseline for panel in panels_of(run.report())} == {"majority"}
    said = texts(write_figures(run.report(), tmp_path)[0])
    assert ("majority" in said, "chance" in said) == (True, False)


def test_equal_records_give_equal_files(run: Any, tmp_path: Path) -> None:
    first, again = (write_figures(run.report(), tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_random_weights_are_named_in_the_legend(run: Any, trial: Any, tmp_path: Path) -> None:
    random = BackboneSpec(name="tiny-wavlm", init="random")
    run.add(trial().model_copy(update={"backbone": random}))
    assert "tiny-wavlm (RANDOM)" in texts(write_figures(run.report(), tmp_path)[0])


def test_points_that_are_qualified_bear_signs_that_the_figure_explains(
    run: Any, trial: Any, tmp_path: Path
) -> None:
    run.add(trial("emotion2vec_plus_seed", finetune_layers=1))
    planned = [*run.trials, trial("emotion2vec_plus_seed", finetune_layers=1, fold=2)]
    said = texts(write_figures(run.report(planned), tmp_path)[0])
    assert {"0", "3", "1*†‡"} <= set(said)
    assert {"* LABELS SEEN", "† INCOMPLETE", "‡ FOLDS DIFFER"} <= set(said)


def test_what_is_said_of_a_whole_panel_is_not_said_of_its_points(
    run: Any, trial: Any, tmp_path: Path
) -> None:
    run.records[:] = [
        record.model_copy(update={"partial_corpus": True})
        for record in run.records
        if record.trial.backbone.name == "wavlm-base"
    ]
    said = texts(write_figures(run.report(), tmp_path)[0])
    assert "ravdess (PARTIAL)" in said
    assert not any("*" in text for text in said)


def test_each_setting_of_a_backbone_is_a_line_in_its_colour(run: Any, trial: Any) -> None:
    run.add(trial(loss="dr"))
    lines = [line for line in series_of(run.report()) if line.backbone == "wavlm-base"]
    assert [line.setting for line in lines] == ["dr", "weighted_cross_entropy"]
    assert len({line.colour for line in lines}) == 1
    assert len({line.dashes for line in lines}) == 2


def test_the_legend_names_each_backbone_and_each_setting_once(
    run: Any, trial: Any, tmp_path: Path
) -> None:
    for loss in ("dr", "focal"):
        for backbone in ("wavlm-base", "emotion2vec_plus_base"):
            run.add(trial(backbone, loss=loss))
    said = texts(write_figures(run.report(), tmp_path)[0])
    for name in ("wavlm-base", "emotion2vec_plus_base", "dr", "focal", "weighted_cross_entropy"):
        assert said.count(name) == 1


def test_names_of_any_kind_are_drawn_as_they_are(
    empty_run: Any, trial: Any, tmp_path: Path
) -> None:
    names = ["$x_1", "_hidden", "<script>", "日本語", "[red]", "name " * 40]
    for name in names:
        empty_run.add(trial(name))
    said = texts(write_figures(empty_run.report(), tmp_path)[0])
    assert set(names[:-1]) <= set(said)


def test_every_corpus_has_a_panel(run: Any, trial: Any, tmp_path: Path) -> None:
    for name in ("emodb", "crema_d"):
        spec = trial().corpus.model_copy(update={"name": name})
        run.add(trial().model_copy(update={"corpus": spec}), limited_data=True)
    assert {"ravdess", "emodb", "crema_d"} <= set(texts(write_figures(run.report(), tmp_path)[0]))


def box_of(axes: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of the area that an axes' background covers."""
    (path,) = axes.findall(f"{SVG}g[@id='patch_2']/{SVG}path")
    numbers = [float(word) for word in re.findall(r"-?[0-9.]+", path.attrib["d"])]
    return min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])


def drawn_points(axes: ElementTree.Element, colour: str) -> list[tuple[float, float]]:
    """Where the marks of that colour lie."""
    return [
        (float(mark.attrib["x"]), float(mark.attrib["y"]))
        for mark in axes.iter(f"{SVG}use")
        if colour in mark.attrib.get("style", "")
    ]


@pytest.mark.parametrize("rows", [1, 4])
def test_rows_are_drawn_within_the_axes(
    run: Any, empty_run: Any, trial: Any, tmp_path: Path, rows: int
) -> None:
    if rows == 1:
        run = empty_run
        run.add(trial())
    report = run.report()
    assert len(report.rows) == rows
    svg, _ = write_figures(report, tmp_path)
    (axes,) = parsed(svg).findall(f".//{SVG}g[@id='axes_1']")
    left, right, top, bottom = box_of(axes)
    for line in series_of(report):
        points = drawn_points(axes, line.colour)
        assert len(points) >= len(line.points) > 0
        assert all(left <= x <= right and top <= y <= bottom for x, y in points)


def label_boxes(svg: Path) -> list[Box]:
    """Where the labels of points lie, a little narrower than they are drawn."""
    found = []
    for text in parsed(svg).iter(f"{SVG}text"):
        if "font-size: 7.5px" in text.attrib["style"]:
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            half = 2.4 * len("".join(text.itertext()))
            found.append(Box(x - half, y - 5.5, x + half, y))
    return found


def test_labels_of_many_rows_at_one_place_do_not_collide(
    empty_run: Any, trial: Any, tmp_path: Path
) -> None:
    for epochs in range(1, 9):
        for layers in (0, 1):
            for fold in (1, 2) if epochs % 3 else (1,):
                empty_run.add(trial(fold=fold, finetune_layers=layers, training={"epochs": epochs}))
    report = empty_run.report()
    boxes = label_boxes(write_figures(report, tmp_path)[0])
    assert len(boxes) == len(report.rows) == 16
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_rows_without_interval_are_drawn(run: Any, tmp_path: Path) -> None:
    run.saved.clear()
    report = run.report()
    assert {point.low for line in series_of(report) for point in line.points} == {None}
    assert "wavlm-base" in texts(write_figures(report, tmp_path)[0])


def test_rows_without_a_score_are_left_out(run: Any, trial: Any, tmp_path: Path) -> None:
    run.add(trial("whisper-base"), status="oom", error="MemoryError")
    assert "whisper-base" not in texts(write_figures(run.report(), tmp_path)[0])


@pytest.mark.parametrize("failed", [True, False])
def test_without_any_score_there_is_no_figure(
    empty_run: Any, trial: Any, tmp_path: Path, failed: bool
) -> None:
    if failed:
        empty_run.add(trial(), status="oom", error="MemoryError")
    assert write_figures(empty_run.report(), tmp_path) == ()
    assert not list(tmp_path.iterdir())
