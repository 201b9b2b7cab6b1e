def test_a_course_folder_trains_and_is_not_overwritten(lenetctl, tmp_path, monkeypatch):
    assert lenetctl("init", "course").code == 0
    course = tmp_path / "course"
    assert (course / "experiments" / "spec.schema.json").exists()
    assert "/mlruns/" in (course / ".gitignore").read_text()
    (course / "README.md").write_text("mine")
    again = lenetctl("init", "course")
    assert (again.code, "0 files written" in again.out) == (0, True)
    assert (course / "README.md").read_text() == "mine"
    monkeypatch.chdir(course)
    done = lenetctl("train", "experiments/quickstart.yaml", "-q", "-s", "training.epochs=1")
    assert done.code == 0, done.err


def test_a_file_in_the_folders_place_is_one_line(lenetctl, tmp_path):
    (tmp_path / "course").touch()
    result = lenetctl("init", "course")
    assert result.code == 2
    assert len(result.err.splitlines()) == 1
