from PIL import Image


def test_what_the_net_gets_is_drawn(lenetctl, write, tmp_path):
    result = lenetctl("data", "show", write(), "-s", "data.augment=[{kind: flip}]", "--json")
    assert result.code == 0, result.err
    document = result.json
    assert document["dataset"] == "digits"
    assert sum(document["classes"].values()) == 512
    assert document["pixels"] == [0.0, 1.0]
    assert document["columns"][:2] == ["1", "1 drawn 1"]
    with Image.open(tmp_path / "data.png") as picture:
        assert picture.width > picture.height / 2


def test_mistakes_get_one_line(lenetctl, write):
    refused = lenetctl("data", "show", write(), "-o", "data.txt")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert lenetctl("data", "show", "none.yaml").code == 2
    missing = lenetctl("data", "show", write(), "-s", "data.dataset=folder", "-s", "data.folder=x")
    assert missing.code == 3
