from lenetctl.tracking.store import open_client
from lenetctl.tracking.sweeps import parent


def test_a_client_looks_for_the_parent_once_and_another_finds_it(
    client, uri, tmp_path, monkeypatch
):
    def find(*args):
        looked.append(args)
        return own(*args)

    looked, own = [], parent.find_parent
    monkeypatch.setattr(parent, "find_parent", find)
    experiment = client.create_experiment("study")
    for one, sweep in [(client, "a"), (client, "a"), (client, "b"), (open_client(uri), "a")]:
        parent.sweep_parent_id(one, experiment, sweep, tmp_path / "lock", 1000)
    assert [sweep for *_, sweep in looked] == ["a", "b", "a"]
    made = client.search_runs([experiment])
    assert sorted(run.data.tags[parent.PARENT] for run in made) == ["a", "b"]
