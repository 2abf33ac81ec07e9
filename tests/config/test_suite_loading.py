"""What a suite file may say, and how its mistakes are told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config.matrix import expand
from harness.config.suite_loading import load_corpus_spec, load_suite, shipped_suites
from harness.config.yaml_reading import read_yaml
from harness.config.yaml_tree import LocatedValue, SourcePosition, merge
from harness.errors import SuiteError
from harness.runs.planning import cost_trials


def mistakes_of(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        load_suite(path, overrides)
    return str(caught.value).splitlines()


def test_five_mistakes_are_told_at_once_each_with_its_line(write_suite: Any) -> None:
    path = write_suite("""\
        suite: five
        corpora: [ravdes]
        backbones:
          - wavlm-base
          - wavlm-bas-plus
        matrix:
          finetune_layers: [0, 13]
        training:
          epoch: 3
          batch_seconds: many
        """)
    title, *lines = mistakes_of(path)
    assert title == f"5 mistakes in {path}:"
    assert [line.split(": ")[0] for line in lines] == [
        f"  {path}:{number}" for number in (2, 5, 7, 9, 10)
    ]
    assert "unknown corpus 'ravdes': did you mean 'ravdess'?" in lines[0]
    assert "unknown backbone 'wavlm-bas-plus': did you mean 'wavlm-base-plus'?" in lines[1]
    assert "finetune_layers 13 is beyond wavlm-base, which has 12 layers" in lines[2]
    assert "exclude: [{backbone: wavlm-base, finetune_layers: 13}]" in lines[2]
    assert "unknown key 'epoch' in training: did you mean 'epochs'?" in lines[3]
    assert "training.batch_seconds: found 'many', needs a number" in lines[4]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs=0", "training.epochs: found 0, needs a number of at least 1"),
        ("training.epochs=2.5", "training.epochs: found 2.5, needs a whole number"),
        ("training.epochs=yes", "training.epochs: found true, needs a number"),
        ("training.epochs=[1, 2]", "training.epochs: found a list, needs a whole number"),
        ("training.crop_s=.inf", "training.crop_s: found inf, needs a finite number"),
        ("training=3", "training: found 3, needs a mapping"),
        ("training.early_stopping.metric=f1", "no metric 'f1' selects an epoch of task classif"),
        ("primary=f1", "primary: no metric 'f1' ranks rows of task classification"),
        ("primary=weighted_f1", "(allowed: accuracy, uar, macro_f1)"),
        ("matrix.metric=[f1]", "no metric 'f1' selects an epoch of task classification"),
        ("task=classificatio", "unknown task 'classificatio': did you mean 'classification'?"),
        ("task=3", "task: found 3, needs text"),
        ("head.dropout=1", "head.dropout: found 1, needs a number below 1"),
        ("head.pooling=men", "head.pooling: unknown pooling 'men': did you mean 'mean'?"),
        ("suite=a b", "suite: found 'a b', needs letters, digits"),
        ("suite=2024", "suite: found 2024, needs text (put it in quotes)"),
        ("corpora=ravdess", "corpora: found 'ravdess', needs a list"),
        ("corpora=null", "corpora: found null, needs a list"),
        ("corpora=[ravdess, ravdess]", "corpus 'ravdess' is listed twice"),
        ("corpora=[{name: x, kind: manifes}]", "did you mean 'manifest'?"),
        ("corpora=[3]", "corpora.0: found 3, needs a mapping"),
        ("protocol.folds=010", "010 is read as an octal number, 8: write 10, or '010' as text"),
        ("protocol.folds=-0_12", "-0_12 is read as an octal number, -10: write -12"),
        ("protocol.only_folds=[1:30]", "1:30 is read as a number to the base 60, 90"),
        ("training.crop_s=1:30.5", "1:30.5 is read as a number to the base 60, 90.5"),
        ("corpora=[{name: x, kind: emobox, root: None}]", "None is a text here: write null"),
        ("training.crop_s=nan", "nan is a text here: write null"),
        (
            "corpora=[{name: ravdess, labels: {calm: none}}]",
            "a name for 'calm' ('none' looks",
        ),
        ('corpora=[{name: ravdess, labels: {calm: ""}}]', "needs a name for 'calm' ('' looks"),
        ("corpora=[{name: ravdess, labels: {calm: 'NaN'}}]", "or null, without quotes, to leave"),
        ("protocol.folds=1", "protocol.folds: found 1, needs at least 2 folds"),
        ("protocol.folds=lose", "(did you mean 'loso'?)"),
        ("protocol.only_folds=[7]", "there is no fold 7, the last one is 6"),
        ("protocol.only_folds=[]", "protocol.only_folds: the list is empty"),
        ("backbones=[{name: tiny-wavlm, init: pretrained}]", "write init: random"),
        ("cost={batch_sizes: [0]}", "cost.batch_sizes.0: found 0, needs a number of at least 1"),
        ("keep_models=al", "keep_models: found 'al', needs 'none', 'best' or 'all'"),
        ("must_beat_majority=perhaps", "needs true or false"),
        ("matrix=[1]", "matrix: found a list, needs a mapping"),
        ("matrix.los=dr", "unknown axis 'los': did you mean 'loss'?"),
        ("matrix.loss=[drr]", "unknown loss 'drr': did you mean 'dr'?"),
        ("matrix.seed=[]", "seed: the list is empty"),
        ("matrix.seed=[-1]", "seed: found -1, needs a number of at least 0"),
        ("matrix.finetune_layers=[some]", "found 'some', needs a whole number or 'all'"),
        ("matrix.pooling=[men]", "did you mean 'mean'?"),
        ("matrix.exclude={seed: 1}", "matrix.exclude: found a mapping, needs a list of mappings"),
        ("matrix.exclude=[seed]", "matrix.exclude: found 'seed', needs a mapping"),
        ("matrix.exclude=[{seed: 3}]", "matrix.exclude: this rule matches no trial"),
        ("matrix.exclude=[{backbone: hubert*}]", "no backbone of this suite is 'hubert*'"),
        ("matrix.exclude=[{fold: one}]", "fold: found 'one', needs a fold number"),
        ("matrix.include=[{finetune_layers: 13}]", "name in the rule the backbones it is for"),
        ("matrix.include=[{sed: 1}]", "unknown axis 'sed': did you mean 'seed'?"),
        ("epochs=3", "unknown key 'epochs'"),
        ("epochs", "needs key=value, for example training.epochs=2"),
        ("training.=3", "needs key=value"),
        ("training={epochs: 1, epochs: 2}", "key 'epochs' is given twice"),
        ("training.epochs=[", "not readable as YAML"),
    ],
)
def test_a_mistaken_override_is_named_and_explained(
    small: Path, override: str, message: str
) -> None:
    lines = mistakes_of(small, override)
    told = [line for line in lines if line.startswith(f"  --set {override}: ")]
    assert any(message in line for line in told), lines
    assert not any("pydantic" in line or "http" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "value"),
    [("'010'", "010"), ("10", 10), ("0x10", 16), ("1e-3", "1e-3"), ("'1:30'", "1:30"),
     ("'None'", "None"), ("null", None), ("0", 0), ("0.5", 0.5), ("12:x", "12:x"),
     ("none", "none")],
)  # fmt: skip
def test_what_is_meant_and_what_is_in_quotes_is_taken_as_it_is(text: str, value: Any) -> None:
    found, mistakes = read_yaml(f"a: {text}", "a.yaml")
    assert (found.plain(), mistakes) == ({"a": value}, [])


def test_emobox_folds_need_a_corpus_that_has_them(small: Path) -> None:
    (line,) = mistakes_of(small, "corpora=[ravdess, emodb]")[1:]
    assert line.startswith(f"  {small}:3: protocol.folds: emobox has no folds for emodb: give a")
    own_lists = "corpora=[{name: mine, kind: emobox}]"
    assert load_suite(small, [own_lists]).corpora[0].reader == "emobox"


def test_overrides_are_laid_over_the_file(small: Path) -> None:
    suite = load_suite(
        small, ["training.epochs=2", "training.learning_rate.backbone=1e-4", "matrix.seed=[7]"]
    )
    assert suite.training.epochs == 2
    assert suite.training.learning_rate.head == 1e-3
    assert suite.training.learning_rate.backbone == 1e-4
    assert suite.matrix == {"finetune_layers": [0, 3], "seed": [7]}


def test_a_weighted_sum_is_for_frozen_backbones(small: Path) -> None:
    with pytest.raises(SuiteError, match=r"exclude: \[\{layers: weighted_sum, finetune_layers: 3"):
        load_suite(small, ["matrix.layers=[last, weighted_sum]"])
    rule = "matrix.exclude=[{layers: weighted_sum, finetune_layers: 3}]"
    assert load_suite(small, ["matrix.layers=[last, weighted_sum]", rule])


def test_an_override_reaches_one_item_of_a_list_or_all_of_them(small: Path) -> None:
    listed = "backbones=[wavlm-base, {name: whisper-base, source: here}]"
    suite = load_suite(small, [listed, "backbones.*.init=random", "backbones.0.init=pretrained"])
    assert [spec.init for spec in suite.backbones] == ["pretrained", "random"]
    assert suite.backbones[1].source == "here"


def test_an_override_of_an_item_that_is_not_there_is_a_mistake(small: Path) -> None:
    with pytest.raises(SuiteError, match="backbones"):
        load_suite(small, ["backbones.9.init=random"])


def test_an_override_may_leave_out_a_whole_part(small: Path) -> None:
    assert load_suite(small, ["cost=null"]).cost is None


def test_an_override_may_call_an_axis_by_either_name(write_suite: Any) -> None:
    path = write_suite("""\
        suite: named
        corpora: [synthetic]
        backbones: [tiny-wavlm]
        matrix: {head.pooling: [mean]}
        """)
    suite = load_suite(path, ["matrix.pooling=[attentive_statistics]"])
    assert suite.matrix == {"head.pooling": ["attentive_statistics"]}


def test_missing_keys_are_named(write_suite: Any) -> None:
    lines = mistakes_of(write_suite("suite: empty\n"))
    assert any("key 'corpora' is missing" in line for line in lines)
    assert any("key 'backbones' is missing" in line for line in lines)


def test_a_repeated_key_is_a_mistake_with_both_lines(write_suite: Any) -> None:
    path = write_suite("""\
        suite: twice
        corpora: [ravdess]
        backbones: [wavlm-base]
        corpora: [emodb]
        """)
    assert mistakes_of(path)[1] == (
        f"  {path}:4: key 'corpora' is given twice, first on line 2: keep one"
    )


def test_one_axis_under_two_names_is_a_mistake(write_suite: Any) -> None:
    path = write_suite("""\
        suite: twice
        corpora: [synthetic]
        backbones: [tiny-wavlm]
        matrix:
          pooling: [mean]
          head.pooling: [mean]
        """)
    assert "head.pooling names the axis head.pooling a second time" in mistakes_of(path)[1]


def test_broken_yaml_is_one_message_with_line_and_column(write_suite: Any) -> None:
    path = write_suite("suite: x\ncorpora: [ravdess\nbackbones: []\n")
    (line,) = mistakes_of(path)
    assert line.startswith(f"{path}:3, column 10: not readable as YAML: ")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "&a [*a]", "a: 2001-99-99"])
def test_yaml_that_is_not_plain_data_is_refused(write_suite: Any, text: str) -> None:
    assert "not readable as YAML" in mistakes_of(write_suite(text + "\n"))[0]


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(write_suite: Any, text: str) -> None:
    assert "a suite is a mapping (key: value), this is" in mistakes_of(write_suite(text))[0]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert "cannot be read as UTF-8 text" in mistakes_of(path)[0]


def test_a_child_lists_only_what_differs(small: Path, write_suite: Any) -> None:
    child = write_suite(
        """\
        extends: suite
        suite: child
        backbones: [wavlm-base]
        matrix: {seed: [5]}
        training: {learning_rate: {backbone: 1e-4}}
        """,
        "child.yaml",
    )
    suite, parent = load_suite(child), load_suite(small)
    assert suite.suite == "child"
    assert [spec.name for spec in suite.backbones] == ["wavlm-base"]
    assert suite.matrix == {"finetune_layers": [0, 3], "seed": [5]}
    assert suite.training.epochs == parent.training.epochs
    assert suite.training.learning_rate.backbone == 1e-4
    assert suite.protocol == parent.protocol


def test_suites_extend_in_chains_and_shipped_ones_by_name(write_suite: Any) -> None:
    write_suite("extends: ser_backbones\ntraining: {epochs: 7}\n", "middle.yaml")
    child = write_suite("extends: middle.yaml\nsuite: child\n", "child.yaml")
    suite = load_suite(child)
    assert suite.training.epochs == 7
    assert len(suite.backbones) == 4


def test_a_mistake_is_placed_in_the_file_that_made_it(write_suite: Any) -> None:
    parent = write_suite("suite: parent\ntraining: {epoch: 7}\n", "parent.yaml")
    child = write_suite(
        "extends: parent.yaml\nbackbones: [wavlm]\ncorpora: [ravdess]\n", "child.yaml"
    )
    places = [line.split(": ")[0].strip() for line in mistakes_of(child)[1:]]
    assert places == [f"{child}:2", f"{parent}:2"]


def test_extending_in_a_circle_is_a_mistake(write_suite: Any) -> None:
    first = write_suite("extends: second.yaml\n", "first.yaml")
    write_suite("suite: x\nextends: first.yaml\n", "second.yaml")
    lines = mistakes_of(first)
    assert any("circle: first.yaml → second.yaml → first.yaml" in line for line in lines)


@pytest.mark.parametrize("parent", ["nowhere.yaml", "[a, b]"])
def test_extending_what_is_not_there_is_a_mistake(write_suite: Any, parent: str) -> None:
    lines = mistakes_of(write_suite(f"extends: {parent}\nsuite: x\n"))
    assert any("suite.yaml:1: extends: " in line for line in lines)


def test_backbones_and_poolings_get_their_canonical_names(write_suite: Any) -> None:
    path = write_suite("""\
        suite: old_names
        corpora: [ravdess]
        backbones: [iic/emotion2vec_plus_base, tiny-wavlm]
        head: {pooling: AttentiveStatisticsPooling}
        """)
    suite = load_suite(path)
    assert [spec.name for spec in suite.backbones] == ["emotion2vec_plus_base", "tiny-wavlm"]
    assert suite.head.pooling == "attentive_statistics"


def test_a_backbone_under_two_names_is_listed_twice(small: Path) -> None:
    override = "backbones=[emotion2vec_plus_base, iic/emotion2vec_plus_base]"
    assert "is listed twice, first as 'emotion2vec_plus_base'" in mistakes_of(small, override)[1]


def test_a_tiny_backbone_has_random_weights_without_being_asked(small: Path) -> None:
    suite = load_suite(small, ["backbones=[tiny-wavlm]", "matrix={finetune_layers: [0]}"])
    assert suite.backbones[0].init == "random"


def test_an_unknown_suite_names_the_shipped_ones() -> None:
    with pytest.raises(SuiteError, match=r"no suite at 'smok'.*did you mean 'smoke'\?"):
        load_suite("smok")


def test_a_name_finds_the_file_beside_you_first(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.rename(small.parent / "smoke.yaml")
    monkeypatch.chdir(small.parent)
    assert load_suite("smoke").suite == "small"


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_every_shipped_suite_is_valid_and_has_trials(name: str) -> None:
    suite = load_suite(name)
    assert suite.suite == name
    assert suite.description
    trials = expand(suite, lambda corpus: tuple(range(1, 7)))
    assert trials or cost_trials(suite, trials)


def test_a_suite_without_corpora_measures_costs_and_so_must_have_them(small: Path) -> None:
    assert load_suite(small, ["corpora=[]"]).corpora == ()
    lines = mistakes_of(small, "corpora=[]", "cost=null")
    assert any("the list is empty and cost is null, so there is nothing to do" in x for x in lines)


def test_the_shipped_suites_are_those_promised() -> None:
    promised = {"smoke", "ser_backbones", "losses", "layer_sweep", "ravdess_whisper"}
    assert promised <= set(shipped_suites())


def test_a_corpus_is_named_or_described_in_a_file(write_suite: Any) -> None:
    assert load_corpus_spec("emodb").reader == "emodb"
    path = write_suite("name: mine\nkind: manifest\nmanifest: list.csv\n", "corpus.yaml")
    assert load_corpus_spec(str(path)).manifest == "list.csv"


def test_a_mistaken_corpus_file_is_told_with_lines(write_suite: Any) -> None:
    path = write_suite("name: mine\nkind: manifes\nlist: a.csv\n", "corpus.yaml")
    with pytest.raises(SuiteError) as caught:
        load_corpus_spec(str(path))
    assert f"{path}:2: unknown kind of corpus 'manifes'" in str(caught.value)
    assert f"{path}:3: unknown key 'list'" in str(caught.value)
    with pytest.raises(SuiteError, match=r"did you mean 'emodb'\?"):
        load_corpus_spec("emobd")


def test_suites_analysis_and_reports_need_no_torch() -> None:
    modules = [
        "config.suite_loading",
        "tasks.classification.baselines",
        "results.statistics",
        "reporting.text_tables",
    ]
    imports = "; ".join(
        f"import harness.{module}" for module in [*modules, "results.majority_check"]
    )
    code = f"{imports}; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


HERE = SourcePosition("here.yaml", 1)
TREES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)


def located(value: Any) -> LocatedValue:
    if isinstance(value, dict):
        return LocatedValue({key: located(item) for key, item in value.items()}, HERE)
    if isinstance(value, list):
        return LocatedValue([located(item) for item in value], HERE)
    return LocatedValue(value, HERE)


def plain_merge(base: Any, child: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(child, dict)):
        return child
    keys = [*base, *(key for key in child if key not in base)]
    return {
        key: plain_merge(base[key], child[key])
        if key in base and key in child
        else child.get(key, base.get(key))
        for key in keys
    }


@given(TREES, TREES)
def test_merging_replaces_all_but_mappings(base: Any, child: Any) -> None:
    merged = merge(located(base), located(child)).plain()
    assert merged == plain_merge(base, child)
    assert merge(located(merged), located(child)).plain() == merged


@settings(deadline=None)
@given(st.sampled_from(["epochs", "accumulation_steps"]), st.integers(1, 10**5))
def test_an_override_sets_what_it_names_and_nothing_else(key: str, value: int) -> None:
    before, after = load_suite("smoke"), load_suite("smoke", [f"training.{key}={value}"])
    assert getattr(after.training, key) == value
    unchanged = after.training.model_copy(update={key: getattr(before.training, key)})
    assert before == after.model_copy(update={"training": unchanged})
