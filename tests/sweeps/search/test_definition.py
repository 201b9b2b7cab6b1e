import pytest

from lenetctl.errors import SpecError, UsageError
from lenetctl.sweeps.grid import parse_grid_option
from lenetctl.sweeps.search.definition import Search

SPEC = "data: {dataset: digits, validation: 100}\n"
SWEEP = """\
base: spec.yaml
search:
  training.optimizer.lr: {low: 0.01, high: 1.0, log: true}
  model.pool.kind: [avg, max]
"""


@pytest.fixture
def search(tmp_path):
    """Read a search from files, and what the command line says."""

    def make(*grid, spec=SPEC, sweep=None, settings=(), path=None):
        (tmp_path / "spec.yaml").write_text(spec)
        if sweep is not None:
            (tmp_path / "sweep.yaml").write_text(sweep)
        axes = {axis.key: axis for axis in map(parse_grid_option, grid)}
        where = tmp_path / ("spec.yaml" if sweep is None else path or "sweep.yaml")
        return Search.of(where, axes, settings, 5)

    return make


@pytest.mark.parametrize("path", ["sweep.yaml", "."])
def test_a_sweep_file_says_what_to_search(search, tmp_path, path):
    found = search(sweep=SWEEP, path=path)
    assert found.name == tmp_path.name
    assert [str(one) for one in found.space] == [
        "training.optimizer.lr: 0.01 to 1.0, log",
        'model.pool.kind: "avg", "max"',
    ]


def test_the_command_line_is_laid_over_it(search):
    found = search("model.pool.kind=max", "training.seed=7", sweep=SWEEP, settings=["data.limit=9"])
    trial = found.trial({"training.optimizer.lr": 0.5})
    assert trial.name == "spec-lr=0.5-s7"
    assert trial.spec.data.limit == 9
    assert str(found.space[1]) == 'model.pool.kind: "max"'


def test_another_space_or_another_spec_is_another_study(search):
    one = search("model.pool.kind=avg,max")
    assert one.identity == search("model.pool.kind=avg,max").identity
    assert one.identity != search("model.pool.kind=avg,max", "model.dropout=0,0.5").identity
    assert one.identity != search("model.pool.kind=avg,max", settings=["data.limit=9"]).identity


@pytest.mark.parametrize(
    ("grid", "files", "message"),
    [
        ((), {}, "nothing to search"),
        (("model.pool.kind=avg,max",), {"spec": "data: {dataset: digits}"}, "data.validation=5000"),
        (("training.seed=0,1", "model.pool.kind=avg,max"), {}, "one seed"),
        ((), {"sweep": "grid: {model.dropout: [0, 0.5]}"}, "base: FILE"),
    ],
)
def test_what_cannot_be_searched_is_refused(search, grid, files, message):
    with pytest.raises(UsageError, match=message):
        search(*grid, **files)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("model.pool.knd=avg,max", "did you mean"),
        ("model.pool.kind=avg,maximum", "maximum"),
        ("model.dropout={low: 0.0, high: 1.5}", "1.5"),
    ],
)
def test_wrong_keys_and_values_are_told_before_anything_is_run(search, grid, message):
    with pytest.raises(SpecError, match=message) as error:
        search(grid)
    assert str(error.value).startswith("-g ")
