import csv
import json
import subprocess
import sys
from dataclasses import asdict

import pytest
from helpers import run_folders
from scipy import stats
from typer.testing import CliRunner

from lenetctl.analysis.effect_size import effect_size
from lenetctl.cli.app import app
from lenetctl.runs.store import ROOT

LOW, HIGH = [0.80, 0.81, 0.79], [0.90, 0.915, 0.895]
MAX = {"pool": {"kind": "max"}}
IMPORTS = """
import sys
from lenetctl.cli.app import app
app(["compare"], standalone_mode=False)
heavy = {"torch", "torchvision", "mlflow", "matplotlib", "sklearn", "pandas"}
sys.exit(", ".join(heavy & sys.modules.keys()) or 0)
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder that runs lie in, below a working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mlruns" / "lenetctl"


@pytest.fixture
def runs(root):
    low = run_folders.seeds(root, "baseline", LOW, best=0.85)
    return low + run_folders.seeds(root, "max", HIGH, model=MAX, experiment="exercise1")


def call(*arguments, code=0):
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_json(runs):
    document = json.loads(call("--json").stdout)
    notes = document.pop("notes")
    interval = stats.ttest_rel(HIGH, LOW).confidence_interval()
    g = asdict(effect_size(dict(enumerate(HIGH)), dict(enumerate(LOW))))
    none_of_three = {"count": 0, "of": 3, "low": 0.0, "high": pytest.approx(1 - 0.025 ** (1 / 3))}
    assert document == {
        "metric": "test/accuracy",
        "control": "baseline",
        "unranked": {},
        "rows": [
            {
                "group": "max",
                "n": 3,
                "mean": pytest.approx(0.9033333),
                "std": pytest.approx(0.0104083, rel=1e-5),
                "best": {"mean": pytest.approx(0.9033333), "std": pytest.approx(0.0104083, 1e-5)},
                "last": {"mean": pytest.approx(0.9033333), "std": pytest.approx(0.0104083, 1e-5)},
                "difference": {
                    "mean": pytest.approx(0.1033333),
                    "low": pytest.approx(interval.low),
                    "high": pytest.approx(interval.high),
                    "paired": True,
                    "verdict": "better",
                    "p": pytest.approx(stats.ttest_rel(HIGH, LOW).pvalue),
                    "p_holm": pytest.approx(stats.ttest_rel(HIGH, LOW).pvalue),
                    "test": "paired t",
                },
                "effect": {key: pytest.approx(value) for key, value in g.items()},
                "did_not_learn": none_of_three,
                "lost": {},
                "runs": [run.path.name for run in runs[3:]],
                "model.pool.kind": "max",
            },
            {
                "group": "baseline",
                "n": 3,
                "mean": pytest.approx(0.8),
                "std": pytest.approx(0.01),
                "best": {"mean": pytest.approx(0.85), "std": 0.0},
                "last": {"mean": pytest.approx(0.8), "std": pytest.approx(0.01)},
                "difference": None,
                "effect": None,
                "did_not_learn": none_of_three,
                "lost": {},
                "runs": [run.path.name for run in runs[:3]],
                "model.pool.kind": "avg",
            },
        ],
    }
    assert "Choose by validation; test metrics are for reporting." in notes


def test_csv_reads_back_to_the_same_numbers(runs):
    rows = list(csv.DictReader(call("--csv").stdout.splitlines()))
    expected = json.loads(call("--json").stdout)["rows"]
    assert [row["group"] for row in rows] == ["max", "baseline"]
    for row, other in zip(rows, expected, strict=True):
        assert (float(row["mean"]), float(row["std"])) == (other["mean"], other["std"])
        for name in ("best", "last"):
            assert float(row[f"{name}_mean"]) == other[name]["mean"]
        assert row["runs"].split() == other["runs"]
        assert row["model.pool.kind"] == other["model.pool.kind"]
    assert float(rows[0]["low"]) == expected[0]["difference"]["low"]
    assert (rows[0]["verdict"], rows[1]["verdict"]) == ("better", "")


def test_csv_of_runs(root, runs):
    run_folders.run(root, "max", 0, seed=8, model=MAX, status="FAILED", outcome="diverged")
    rows = list(csv.DictReader(call("--csv-runs").stdout.splitlines()))
    assert [(row["group"], row["seed"], row["state"]) for row in rows] == [
        *(("max", str(seed), "finished") for seed in range(3)),
        ("max", "8", "diverged"),
        *(("baseline", str(seed), "finished") for seed in range(3)),
    ]
    assert [row["score"] for row in rows] == [*map(str, HIGH), "", *map(str, LOW)]
    assert rows[-1]["best"] == "0.85"


def test_markdown(runs):
    lines = call("--markdown").stdout.splitlines()
    margin = stats.ttest_rel(HIGH, LOW).confidence_interval().high - 0.31 / 3
    mean = "0.9033 ± 0.0104"
    assert lines[:4] == [
        "| group | differs in | n | last epoch | best epoch | vs baseline |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        f"| max | pool.kind=max | 3 | {mean} | {mean} | +0.1033 ± {margin:.4f} better |",
        "| baseline |  | 3 | 0.8000 ± 0.0100 | 0.8500 ± 0.0000 | control |",
    ]


def test_without_a_control_a_row_differs_from_most(root):
    for name, model in (("a", {}), ("b", {}), ("c", MAX)):
        run_folders.run(root, name, 0.5, model=model, training={"epochs": ord(name)})
    lines = call("--markdown").stdout.splitlines()[2:5]
    assert [line.split(" | ")[1] for line in lines] == ["", "epochs=98", "pool.kind=max, epochs=99"]


def test_the_table_fits_80_columns(runs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = call().stdout
    assert max(map(len, text.splitlines())) <= 80
    for part in ("0.9033 ± 0.0104", "better", "pool.kind=max", "for reporting"):
        assert part in text


def test_sparklines_show_the_course_of_each_row(runs, monkeypatch):
    for number, run in enumerate(runs):
        up = [{"epoch": n, "test/accuracy": n / 10, "train/loss": 1 / n} for n in range(1, 11)]
        run.write_epochs(up[: 10 if number < 3 else 5])
    monkeypatch.setenv("COLUMNS", "80")
    lines = call().stdout.splitlines()
    assert max(map(len, lines)) <= 80
    baseline = next(number for number, line in enumerate(lines) if line.startswith("baseline"))
    assert lines[baseline].endswith("▁▂▃▃▄▅▆▆▇█")
    assert lines[baseline + 1].split() == ["█▄▃▂▂▂▁▁▁▁"]
    shorter = next(line for line in lines if line.startswith("max"))
    assert shorter.rstrip().endswith("  ▁▂▃▃▄")
    assert "Epochs: test/accuracy, below it train/loss" in "\n".join(lines)
    monkeypatch.setenv("COLUMNS", "70")
    assert "▁" not in call().stdout


def test_with_a_validation_split_its_course_is_shown(root):
    run_folders.run(root, "held", 0.9, validation=(0.5, 1.0))
    text = call().stdout
    assert "█▁" in text
    assert "Epochs: validation/accuracy, from the first" in text


def test_where_images_were_held_out_validation_ranks_and_test_stands_beside_it(root, monkeypatch):
    for name, score, validation, model in (("a", 0.9, 0.7, {}), ("b", 0.8, 0.75, MAX)):
        for seed in range(2):
            accuracies = (0.1, validation + seed / 100)
            run_folders.run(root, name, score, seed=seed, validation=accuracies, model=model)
    document = json.loads(call("--json").stdout)
    assert document["metric"] == "validation/accuracy"
    first, second = document["rows"]
    assert (first["group"], second["group"]) == ("b", "a")
    assert first["mean"] == first["best"]["mean"] == pytest.approx(0.755)
    assert first["last"] == {"mean": pytest.approx(0.1), "std": 0}
    assert first["test/accuracy"] == {"mean": pytest.approx(0.8), "std": 0}
    (row, _) = csv.DictReader(call("--csv").stdout.splitlines())
    assert float(row["test/accuracy_mean"]) == pytest.approx(0.8)
    assert float(row["last_mean"]) == pytest.approx(0.1)
    monkeypatch.setenv("COLUMNS", "80")
    text = " ".join(call("--control", "a").stdout.split())
    assert "0.1000 ± 0.0000 0.7550 ± 0.0071 0.8000 ± 0.0000 +0.0500" in text
    assert "of n runs; ranked by the best epoch." in text
    assert "the test set was read once, with the weights of the best epoch." in text
    given = json.loads(call("--json", "--metric", "test/accuracy").stdout)
    assert [row["group"] for row in given["rows"]] == ["a", "b"]


def test_quiet_leaves_the_table(runs):
    text = call("-q").stdout
    assert "0.9033" in text
    assert "Choose" not in text


def test_notes_say_who_chose_the_best_epoch(root, runs):
    held_out = run_folders.run(root, "held", 0.9, validation=(0.5, 1.0))
    flattered = "the test set's own choice"
    assert flattered in call("--markdown").stdout
    assert flattered not in call("--markdown", held_out.path.name).stdout


def test_another_control(runs):
    rows = json.loads(call("--json", "--control", "max").stdout)["rows"]
    assert rows[0]["difference"] is None
    assert rows[1]["difference"]["verdict"] == "worse"
    assert rows[1]["difference"]["high"] < 0


def test_the_same_gain_with_every_seed_is_said_to_have_no_spread(root, runs):
    run_folders.seeds(root, "relu", [value + 0.05 for value in LOW], model={"activation": "relu"})
    run_folders.seeds(root, "tanh", [0.85], model={"activation": "tanh"})
    lines = call("--markdown").stdout.splitlines()
    cells = {line.split(" | ")[0].strip("| "): line.split(" | ")[-1] for line in lines}
    assert cells["relu"] == "+0.0500 no spread |"
    assert cells["tanh"] == "+0.0500 |"
    assert cells["max"].endswith("better |")


def test_without_a_control_there_is_no_difference(runs):
    document = json.loads(call("--json", "--group-by", "model.pool.kind").stdout)
    assert document["control"] is None
    assert [row["group"] for row in document["rows"]] == ["max", "avg"]
    assert [row["difference"] for row in document["rows"]] == [None, None]


def test_an_experiments_runs(runs):
    rows = json.loads(call("--json", "--experiment", "exercise1").stdout)["rows"]
    assert [row["group"] for row in rows] == ["max"]


def test_named_runs(runs):
    rows = json.loads(call("--json", "max-s1", runs[0].path, "max-s1").stdout)["rows"]
    assert [(row["group"], row["n"]) for row in rows] == [("max", 1), ("baseline", 1)]
    assert rows[0]["difference"]["low"] is None


def test_what_did_not_finish_is_told(root, runs):
    run_folders.run(root, "max", 0, seed=0, model=MAX, status="KILLED")  # has finished another time
    run_folders.run(root, "max", 0, seed=9, model=MAX, status="FAILED")
    result = call("--json")
    assert json.loads(result.stdout)["rows"][0]["n"] == 3
    assert "left out, for they did not finish: 1 FAILED" in result.stderr


def test_runs_without_a_result_are_counted_in_their_row(root, runs):
    run_folders.run(root, "max", 0, seed=8, model=MAX, status="FAILED", outcome="diverged")
    run_folders.run(root, "max", 0, seed=9, model=MAX, status="KILLED")
    run_folders.run(root, "lr=9", 0, training={"epochs": 9}, status="KILLED", outcome="pruned")
    document = json.loads(call("--json").stdout)
    row = document["rows"][0]
    assert (row["n"], row["lost"]) == (3, {"diverged": 1, "killed": 1})
    assert (row["did_not_learn"]["count"], row["did_not_learn"]["of"]) == (1, 4)
    assert (row["difference"]["test"], row["difference"]["low"]) == ("Fisher", None)
    assert document["unranked"] == {"lr=9": {"pruned": 1}}
    text = call("--markdown").stdout
    assert "| max | pool.kind=max | 3 + 1 diverged + 1 killed |" in text
    assert "max: 1 of 4 (95 %: 0.01 to 0.81) did not learn" in text
    assert "Without any result: lr=9 (1 pruned)." in text
    (line, _) = csv.DictReader(call("--csv").stdout.splitlines())
    assert (line["did_not_learn"], line["of"], line["lost"]) == ("1", "4", "1 diverged, 1 killed")


def test_runs_that_guess_are_told(root):
    for seed, accuracy in enumerate([0.1, 0.1, 0.75]):
        loss = {"train/loss": 2.303 if accuracy == 0.1 else 0.6}
        run_folders.run(root, "deep", accuracy, seed=seed, also=loss, model=MAX)
    run_folders.seeds(root, "baseline", LOW)
    text = call("--markdown").stdout
    assert "| deep | pool.kind=max | 3 (2 did not learn) |" in text
    assert "deep: 2 of 3 (95 %: 0.09 to 0.99) did not learn: in training they are no bet" in text
    gap = next(line for line in text.splitlines() if line.startswith("| deep")).split(" | ")[-1]
    assert "±" not in gap
    assert gap.startswith("-0.48")


def test_pictures(root, runs):
    call("--plot", "out.svg")
    assert (root.parents[1] / "out.svg").read_text().count("<svg") == 1
    assert (root.parents[1] / "out-ranked.svg").exists()
    assert not (root.parents[1] / "out-trade-off.svg").exists()  # pools have no parameters


def test_nets_of_several_sizes_are_drawn_by_size(root, runs):
    run_folders.seeds(root, "wide", HIGH, model={"dense": [200]})
    result = call("--plot", "out.svg")
    assert "out-trade-off.svg drawn" in result.stderr
    assert (root.parents[1] / "out-trade-off.svg").exists()


def test_a_metric_read_once_has_no_curves(root, runs):
    for run in runs:
        run.write_epochs([{"epoch": 1, "train/loss": 0.5}])
    result = call("--plot", "out.png")
    assert not (root.parents[1] / "out.png").exists()
    assert "out-ranked.png drawn" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--metric", "acc"], 2, "--metric acc: no run has it (there are test/accuracy)"),
        (["--control", "none"], 2, "--control none: no such group (there are baseline, max)"),
        (["--group-by", "pool"], 2, "--group-by pool: no spec has this key"),
        (["--csv", "--json"], 2, "choose one"),
        (["baseline-s0", "--experiment", "lenet"], 2, "not both"),
        (["--plot", "out.pdf"], 2, "a picture is saved as"),
        (["--experiment", "other"], 4, "(experiments here: exercise1, lenet)"),
        (["other"], 4, "there is no such run"),
    ],
)
def test_mistakes(runs, arguments, code, message):
    assert message in call(*arguments, code=code).stderr


def test_nothing_to_compare(root):
    assert "(runs here: none yet)" in call(code=4).stderr
    run_folders.run(root, "a", 0, status="FAILED")
    assert "(runs here: 1 FAILED)" in call(code=4).stderr
    assert "a-s0" in call("a-s0", code=4).stderr


def test_it_takes_neither_torch_nor_mlflow(root, runs):
    command = [sys.executable, "-c", IMPORTS]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "better" in result.stdout


def test_the_path_of_a_sweep_stands_for_its_runs_in_whatever_experiment(root, runs, tmp_path):
    specs = tmp_path / "study"
    specs.mkdir()
    for name, model in (
        ("baseline", "{}"),
        ("max", "{pool: {kind: max}}"),
        ("relu", "{activation: relu}"),
    ):
        (specs / f"{name}.yaml").write_text(f"model: {model}\ntraining: {{epochs: 2}}\n")
    (specs / "sweep.yaml").write_text("seeds: [0, 1, 2]")
    result = call("study", "--json")
    rows = json.loads(result.stdout)["rows"]
    assert [(row["group"], row["n"]) for row in rows] == [("max", 3), ("baseline", 3)]
    assert "3 of the 9 runs of study" in result.stderr
    assert "none of its runs has finished" in call("study/relu.yaml", code=4).output


def test_of_many_keys_that_differ_the_first_are_told(root):
    run_folders.run(root, "baseline", 0.8)
    optimizer = {"kind": "adam", "lr": 0.1}
    data = {"batch_size": 32, "validation": 10, "normalize": "standard"}
    run_folders.run(
        root,
        "other",
        0.9,
        model=MAX | {"activation": "relu"},
        data=data,
        training={"optimizer": optimizer, "label_smoothing": 0.1},
    )
    shown = call("--markdown").output
    assert "data.batch_size=32" in shown
    assert "more" in shown.split("| other |")[1].split("|")[0]


def test_the_path_of_a_sweep_takes_settings_grid_and_seeds(root, tmp_path):
    (tmp_path / "baseline.yaml").write_text("training: {epochs: 2}")
    for width in (8, 16, 32):
        conv = [{"channels": width, "kernel": 5}]
        run_folders.seeds(root, "baseline", HIGH, model={"conv": conv, "norm": "batch"})
    options = ("-s", "model.conv=[{channels: 6, kernel: 5}]", "-s", "model.norm=batch")
    grid = ("-g", "model.conv.0.channels=8,32", "--seeds", "0,1")
    rows = json.loads(call("baseline.yaml", *options, *grid, "--json").stdout)["rows"]
    assert [(row["group"], row["n"]) for row in rows] == [
        ("baseline-channels=32", 2),
        ("baseline-channels=8", 2),
    ]
    assert "are for a PATH" in call("-g", "model.norm=none", code=2).stderr


def test_runs_that_are_not_named_are_of_one_data_set(root, runs):
    run_folders.seeds(root, "digits", HIGH, data={"dataset": "digits"})
    newest = call("--json")
    assert [row["group"] for row in json.loads(newest.stdout)["rows"]] == ["digits"]
    assert "the runs on digits; --dataset shows the others: 6 on fashion_mnist" in newest.stderr
    others = call("--json", "--dataset", "fashion_mnist")
    assert [row["group"] for row in json.loads(others.stdout)["rows"]] == ["max", "baseline"]
    assert others.stderr == ""
    assert "(there are 3 digits, 6 fashion_mnist)" in call("--dataset", "mnist", code=2).stderr


def test_a_run_with_a_later_versions_spec_is_left_out_by_name(lenetctl):
    for name, value, dropout in (("baseline", 0.8, 0.0), ("max", 0.7, 0.1), ("later", 0.9, 0.2)):
        run = run_folders.run(ROOT, name, value, model={"dropout": dropout})
    spec = run.path / "spec.yaml"
    spec.write_text(spec.read_text() + "quantum: {entangled: true}\n")
    known = run.record.spec | {"quantum": {"entangled": True}}  # which both have
    run.write_record(run.record.model_copy(update={"spec": known}))
    result = lenetctl("compare", "--json")
    assert result.code == 0, result.err
    assert {row["group"] for row in result.json["rows"]} == {"baseline", "max"}
    (line,) = [line for line in result.err.splitlines() if line.startswith("warning: skipped")]
    assert f"{spec}:" in line
    assert "quantum: unknown key" in line
    alone = lenetctl("compare", run.path.name)
    assert alone.code == 2
    assert "quantum: unknown key" in alone.err
