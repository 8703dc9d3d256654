"""From jobs to a dataset on disk and on the Hub: what the card says of where it is."""

import re

import pytest
from helpers.hub import local_hub
from helpers.hub_server import USER
from helpers.recordings import audiofolder

import prepare_data


def prepare(*arguments) -> int:
    return prepare_data.main([str(argument) for argument in arguments])


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the Hub's client
def test_the_card_names_where_the_dataset_is(tmp_path, monkeypatch, capsys):
    output = tmp_path / "out"
    command = ("folder", audiofolder(tmp_path / "mine"), "--output", output)

    def names_in_card(text):
        return set(re.findall(r'load_dataset\("(.*)"\)|--data (\S+)', text))

    def published(server, repo):
        blobs = server.repos["dataset", repo]
        return blobs.commits[blobs.refs["main"]]["README.md"].content.decode()

    assert prepare(*command) == 0
    assert names_in_card((output / "README.md").read_text()) == {
        (str(output), ""),
        ("", str(output)),
    }
    before = (output / "build.json").read_bytes()
    with local_hub(tmp_path, monkeypatch) as server:
        for name in ("first", f"{USER}/second"):  # of an up-to-date dataset, and of one again
            assert prepare(*command, "--push-to-hub", name) == 0
            repo = f"{USER}/{name.removeprefix(USER + '/')}"
            card = published(server, repo)
            assert names_in_card(card) == {(repo, ""), ("", repo)}
            assert "| undecodable | 1 |" in card and "| resampled from 44,100 Hz | 1 |" in card
            assert card == (output / "README.md").read_text()
        new = (*command, "--no-synthetic", "--overwrite", "--push-to-hub", "third")
        assert prepare(*new) == 0
        assert names_in_card(published(server, f"{USER}/third")) == {
            (f"{USER}/third", ""),
            ("", f"{USER}/third"),
        }
    assert capsys.readouterr().out.count("up to date") == 2
    assert (output / "build.json").read_bytes() != before


def test_a_card_that_cannot_be_written_again_is_said(tmp_path, monkeypatch, capsys):
    output = tmp_path / "out"
    command = ("folder", audiofolder(tmp_path / "mine"), "--output", output)
    assert prepare(*command) == 0
    (output / "README.md").unlink()
    (output / "README.md").mkdir()
    with local_hub(tmp_path, monkeypatch) as server:
        assert prepare(*command, "--push-to-hub", "first") == 2
        assert len(server.repos["dataset", f"{USER}/first"].commits) == 1  # the repository's own
    assert "The card in" in capsys.readouterr().err
