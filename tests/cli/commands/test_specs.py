import json

import yaml


def test_ls_names_what_train_takes(lenetctl):
    result = lenetctl("specs", "ls", "--json")
    assert result.code == 0
    assert "small handwritten digits" in result.json["quickstart"]
    assert "exercise2/best" in lenetctl("specs", "ls").out


def test_a_copy_stands_alone_and_overwrites_nothing(lenetctl, tmp_path):
    assert lenetctl("specs", "cp", "exercise2/relu").code == 0
    assert lenetctl("specs", "cp", "quickstart", "mine.yaml").code == 0
    copied = yaml.safe_load((tmp_path / "relu.yaml").read_text())
    assert copied["model"]["activation"] == "relu"
    assert "extends" not in copied
    assert "language-server" not in (tmp_path / "mine.yaml").read_text()
    assert lenetctl("shapes", "relu.yaml").code == 0
    again = lenetctl("specs", "cp", "exercise2/relu")
    assert (again.code, "there already" in again.err) == (2, True)
    unknown = lenetctl("specs", "cp", "exercise9")
    assert (unknown.code, "no such shipped spec" in unknown.err) == (2, True)


def test_show_says_where_each_value_comes_from(lenetctl, write):
    write("model: {activation: relu}\n", "base.yaml")
    spec = write("extends: base.yaml\ntraining:\n  epochs: 3\n", "mine.yaml")
    shown = lenetctl("specs", "show", spec, "-s", "data.limit=9", "--json").json
    assert shown["model.activation"] == {"value": "relu", "file": "base.yaml", "line": 1}
    assert shown["training.epochs"] == {"value": 3, "file": "mine.yaml", "line": 3}
    assert shown["data.limit"]["file"] == "-s data.limit=9"
    assert shown["training.seed"] == {"value": 0, "file": None, "line": None}
    text = lenetctl("specs", "show", spec).out
    assert "base.yaml:1" in text
    assert "default" in text


def test_schema_and_explain(lenetctl):
    assert json.loads(lenetctl("specs", "schema").out)["title"] == "Spec"
    told = lenetctl("specs", "explain", "training.optimizer.lr")
    assert "learning rate" in told.out
    wrong = lenetctl("specs", "explain", "lr")
    assert (wrong.code, "training.optimizer.lr" in wrong.err) == (2, True)
