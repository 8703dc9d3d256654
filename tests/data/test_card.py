"""The card of a dataset: its tables, its metadata, and its commands, which work."""

import re

import pytest
from datasets import Audio, ClassLabel, load_dataset, load_dataset_builder
from datasets.exceptions import NonMatchingSplitsSizesError
from helpers.dataset import LANGUAGES, utterance, write_dataset, write_shards

import train
from langid.data.card import COLUMN_MEANINGS, make_dataset_card, write_card
from langid.data.card_texts import FOLDER, MERGED, VOXFORGE, CardText
from langid.data.counts import count_dataset
from langid.data.store import dataset_features
from langid.data.utterance import ReasonCounts


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def card_of(folder, excluded=None, changes=None, metadata=None, repo_id="USER/NAME"):
    text = CardText("Title", "By hand.", metadata or {})
    counts = count_dataset(folder)
    return make_dataset_card(
        counts, text, excluded or ReasonCounts(), changes or ReasonCounts(), repo_id
    )


def section(card, title):
    return card.text.split(f"\n## {title}\n\n")[1].split("\n## ")[0].strip()


def code(card, language):
    return re.search(rf"```{language}\n(.*?)```", card.text, re.DOTALL)[1]


def rows_of(markdown):
    """Cells of a Markdown table, without its header."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_the_tables_say_what_is_held(folder):
    card = card_of(folder)
    assert rows_of(section(card, "What it holds")) == [
        ["German (`de`)", *("1", "1", "0.00"), *("1", "1", "0.00"), *("1", "1", "0.00"), "33.3 %"],
        ["French (`fr`)", *("2", "1", "1.00"), *("0", "0", "0.00"), *("1", "1", "0.00"), "33.3 %"],
        ["**all**", *("3", "2", "1.00"), *("1", "1", "0.00"), *("2", "2", "0.00"), "33.3 %"],
    ]
    assert rows_of(section(card, "Gender")) == [  # female, male, unknown: hours and speakers
        ["German", "0.00", "0", "0.00", "1", "0.00", "2"],
        ["French", "1.00", "1", "0.00", "0", "0.00", "1"],
    ]
    assert rows_of(section(card, "Sources and licences")) == [
        ["voxforge", "GPL-3.0-or-later", "de, fr", "6", "5", "1.00", ""]
    ]
    licence = "GNU General Public License, version 3 or (at your option) any later version"
    assert licence in section(card, "Sources and licences")
    restriction = "- copyleft or share-alike: 1.0 h (voxforge)"
    assert restriction in section(card, "Sources and licences")
    assert "can pass for language" in section(card, "Gender")


def test_every_column_has_a_meaning(folder):
    assert list(COLUMN_MEANINGS) == list(dataset_features(LANGUAGES))
    assert [row[0] for row in rows_of(section(card_of(folder), "Columns"))] == [
        f"`{name}`" for name in COLUMN_MEANINGS
    ]


def test_every_reason_is_counted(folder):
    excluded, changes = ReasonCounts(), ReasonCounts()
    for n, reason in ((3, "silent"), (1, "a | b")):
        for i in range(n):
            excluded.add(reason, f"{i}.wav")
    card = card_of(folder, excluded=excluded, changes=changes)
    assert "| silent | 3 |\n| a \\| b | 1 |" in section(card, "Left out")
    assert section(card, "Changed") == "Nothing was changed."


def test_the_metadata_describe_the_dataset_to_the_hub(folder):
    data = card_of(folder, metadata=VOXFORGE.metadata).data
    assert data.language == ["de", "fr"]
    assert data.license == "gpl-3.0"
    assert data.task_categories == ["audio-classification", "automatic-speech-recognition"]
    assert data.size_categories == ["n<1K"]
    assert data.pretty_name == "Title"
    assert data.source_datasets == ["original"]
    assert data["dataset_info"]["splits"][0] == {
        **{"name": "train", "num_examples": 3},
        "num_bytes": count_dataset(folder).n_bytes["train"],
    }


def test_no_transcripts_no_recognition_and_licences_by_source(tmp_path):
    noise = {"source": "esc | 10", "licence": None, "archive": None, "utterance_id": None}
    item = utterance("rain", "noise", 1, **noise)
    other = utterance("tom", "rm-vallader", 2, source="b", licence="CC0-1.0", synthetic=True)
    write_shards(tmp_path, "train", [[item, other]], ["noise", "rm-vallader"])
    card = card_of(tmp_path)
    assert card.data.language == ["rm"]
    assert card.data.task_categories == ["audio-classification"]
    assert (card.data.license, card.data["license_name"]) == ("other", "by-recording")
    text = section(card, "Sources and licences")
    assert "| b | CC0-1.0 | rm-vallader | 1 | 1 | 0.00 | yes |" in text
    assert "| esc \\| 10 | unstated | noise |" in text
    assert "Creative Commons Zero" in text
    assert "Nothing is known of the speakers' gender" in section(card, "Gender")
    assert "## Known faults" not in card.text


def test_the_datasets_library_finds_splits_and_features(folder, tmp_path):
    write_card(folder, ReasonCounts(), ReasonCounts(), text=VOXFORGE, repo_id="USER/NAME")
    splits = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in splits.items()} == {
        **{"train": 3, "validation": 1},
        "test": 2,
    }
    assert splits["train"].features == dataset_features(LANGUAGES)
    assert splits["test"].features["language"] == ClassLabel(names=LANGUAGES)
    audio = splits["train"].cast_column("audio", Audio(decode=False))[0]["audio"]
    assert audio["bytes"].startswith(b"fLaC") and audio["path"] == "anna-1.flac"


def test_a_shard_too_many_is_noticed_by_the_figures_in_the_card(folder, tmp_path):
    write_card(folder, ReasonCounts(), ReasonCounts(), text=VOXFORGE, repo_id="USER/NAME")
    stale = folder / "data" / "test-00001-of-00003.parquet"
    stale.write_bytes((folder / "data" / "test-00000-of-00001.parquet").read_bytes())
    builder = load_dataset_builder(str(folder), cache_dir=str(tmp_path / "cache"))
    with pytest.raises(NonMatchingSplitsSizesError):
        builder.download_and_prepare()


def test_the_commands_in_the_card_work(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    card = card_of(folder, repo_id=str(folder))
    exec(code(card, "python"), {})
    assert capsys.readouterr().out == "fr (16000,) un | deux\n"
    exec(code(card, "python").replace(f'"{folder}"', f'"{folder}", streaming=True'), {})
    assert capsys.readouterr().out == "fr (16000,) un | deux\n"
    python, script, *arguments = code(card, "sh").split()
    options = train.parse_arguments(arguments)
    assert (python, script, options.data) == ("python", "train.py", [str(folder)])
    assert options.languages == ("de", "fr")  # not those of train.py's own, which are not all there


def test_the_code_names_the_repository_and_the_folder_as_they_are_written(folder):
    card = card_of(folder, repo_id="anna/my data")
    assert 'load_dataset("anna/my data")' in code(card, "python")
    assert "--data 'anna/my data' --output" in code(card, "sh")
    assert "USER/NAME" not in card.text


@pytest.mark.parametrize("text", [VOXFORGE, FOLDER, MERGED])
def test_each_kind_of_dataset_has_its_card(folder, text):
    write_card(folder, ReasonCounts(), ReasonCounts(), text=text, repo_id="USER/NAME")
    written = (folder / "README.md").read_text(encoding="utf-8")
    assert f"\n# {text.title}\n" in written and text.how_made in written
    assert "2,164 submissions are anonymous" in written  # a fault of the source, whatever the text
