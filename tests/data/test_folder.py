"""Folders of recordings to clips."""

import json

import pytest
from helpers.recordings import record, write_metadata

from langid.data.clips import Clip
from langid.data.folder import filter_clips, joined_languages, read_folder
from langid.data.utterance import ReasonCounts
from langid.errors import DataError


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_the_name_of_the_source_can_be_given(tmp_path):
    record(tmp_path / "fr" / "anna" / "a.wav", seed=1)
    record(tmp_path / "fr" / "b.wav", seed=2)
    clips = read_folder(tmp_path, ReasonCounts(), "radio")
    assert [(clip.source, clip.speaker_id) for clip in clips] == [
        ("radio", "radio:anna"),
        ("radio", "radio:fr/b"),
    ]


def test_one_folder_a_language_by_name_code_or_anything_else(tmp_path):
    for name in ("French/a.mp3", "de/b.WAV", "Klingonese/c.ogg", "zh-TW/d.flac", "it/e.sph"):
        touch(tmp_path / name)
    clips = read_folder(tmp_path, ReasonCounts())
    assert {c.file_name: c.language for c in clips} == {
        "French/a.mp3": "fr",
        "de/b.WAV": "de",
        "Klingonese/c.ogg": "Klingonese",
        "zh-TW/d.flac": "zh",
        "it/e.sph": "it",
    }
    assert all(c.split is None and c.licence is None and not c.synthetic for c in clips)


def test_speakers_of_a_tree(tmp_path):
    source = tmp_path / "mine"
    for name in ("fr/a.wav", "fr/b.wav", "fr/anna/1.wav", "de/anna/deep/2.wav"):
        touch(source / name)
    speakers = {c.file_name: c.speaker_id for c in read_folder(source, ReasonCounts())}
    assert speakers == {
        "fr/a.wav": "mine:fr/a",
        "fr/b.wav": "mine:fr/b",
        "fr/anna/1.wav": "mine:anna",
        "de/anna/deep/2.wav": "mine:anna",
    }


def test_splits_above_the_languages(tmp_path):
    for name in ("train/fr/a.wav", "dev/fr/b.wav"):
        touch(tmp_path / name)
    assert [c.split for c in read_folder(tmp_path, ReasonCounts())] == ["validation", "train"]


def test_odd_files_are_ignored_and_counted(tmp_path):
    for name in ("fr/a.wav", "fr/notes.txt", "fr/._a.wav", "readme.md", "stray.wav"):
        touch(tmp_path / name)
    excluded = ReasonCounts()
    assert [c.file_name for c in read_folder(tmp_path, excluded)] == ["fr/a.wav"]
    assert excluded.counts == {"not audio, ignored": 3, "not in a language's folder": 1}


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    outside = record(tmp_path / "outside" / "a.wav", seed=0)
    source = tmp_path / "source"
    touch(source / "fr" / "b.wav")
    (source / "fr" / "a.wav").symlink_to(outside)
    (source / "de").symlink_to(outside.parent)
    excluded = ReasonCounts()
    assert [c.file_name for c in read_folder(source, excluded)] == ["fr/b.wav"]
    assert excluded.counts == {"path leaves the folder": 1, "linked folder, not followed": 1}


def test_metadata_columns(tmp_path):
    touch(tmp_path / "x" / "a.wav")
    touch(tmp_path / "b.wav")
    full = {"file_name": "x/a.wav", "language": "French", "split": "dev", "source": "radio"}
    full |= {"speaker": "anna", "licence": "CC0-1.0", "synthetic": "1", "seconds": "99"}
    full |= {"transcript": "Bonjour, “toi”."}
    write_metadata(tmp_path, [full, {"file_name": "b.wav", "language": "ga-IE"}])
    b, a = read_folder(tmp_path, ReasonCounts())
    assert a == Clip(
        path=tmp_path / "x" / "a.wav",
        file_name="x/a.wav",
        language="fr",
        speaker_id="radio:anna",
        source="radio",
        split="validation",
        licence="CC0-1.0",
        synthetic=True,
        transcript="Bonjour, “toi”.",
    )
    name = tmp_path.name
    assert (b.language, b.speaker_id, b.source) == ("ga", f"{name}:b", name)
    assert (b.split, b.licence, b.synthetic, b.transcript) == (None, None, False, None)


def test_metadata_of_json_lines(tmp_path):
    touch(tmp_path / "a.wav")
    rows = [
        {"file_name": "a.wav", "language": "pt_BR", "speaker": 7, "synthetic": True, "split": None},
        {"file_name": "gone.wav", "language": "fr"},
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    excluded = ReasonCounts()
    (clip,) = read_folder(tmp_path, excluded, "radio")
    assert (clip.language, clip.speaker_id, clip.synthetic) == ("pt", "radio:7", True)
    assert excluded.counts == {"missing file": 1}
    assert [c.file_name for c in read_folder(tmp_path, ReasonCounts(), is_test_set=True)] == [
        "a.wav",
        "gone.wav",
    ]


@pytest.mark.parametrize("content", ['{"file_name": "a.wav"', '["a.wav", "fr"]'])
def test_bad_json_lines_are_one_sentence(tmp_path, content):
    touch(tmp_path / "a.wav")
    (tmp_path / "metadata.jsonl").write_text(content)
    with pytest.raises(DataError, match=r"metadata\.jsonl is not one JSON object a line: "):
        read_folder(tmp_path, ReasonCounts())


def common_voice(folder, locale, columns=("client_id", "path", "sentence", "locale")):
    """A locale of Common Voice as it unpacks: two clips of which one is validated."""
    for name in ("a", "b"):
        touch(folder / "clips" / f"common_voice_{locale}_{name}.mp3")
    row = {
        "client_id": "0a1b",
        "path": f"common_voice_{locale}_a.mp3",
        "sentence": 'She said "no',
        "locale": locale,
    }
    lines = ["\t".join(columns), "\t".join(row[name] for name in columns)]
    (folder / "validated.tsv").write_text("\n".join(lines) + "\n")
    (folder / "other.tsv").write_text("\t".join(columns) + "\n")


@pytest.mark.parametrize("locales", ["", "*", "*/*"])
def test_common_voice_as_it_unpacks(tmp_path, locales):
    below = {"": ".", "*": "zh-TW", "*/*": "cv-corpus-17.0/zh-TW"}[locales]
    common_voice(tmp_path / below, "zh-TW")
    excluded = ReasonCounts()
    (clip,) = read_folder(tmp_path, excluded)
    assert clip.path == (tmp_path / below / "clips" / "common_voice_zh-TW_a.mp3").resolve()
    assert (clip.language, clip.transcript) == ("zh", 'She said "no')
    assert (clip.speaker_id, clip.source, clip.licence) == (
        "common_voice:0a1b",
        "common_voice",
        "CC0-1.0",
    )
    assert excluded.counts == {"not in validated.tsv, ignored": 2}


def test_locales_of_common_voice_share_their_speakers(tmp_path):
    common_voice(tmp_path / "en", "en", ("client_id", "path", "sentence"))  # an early release
    common_voice(tmp_path / "de", "de")
    clips = read_folder(tmp_path, ReasonCounts())
    assert [clip.language for clip in clips] == ["de", "en"]
    assert len({clip.speaker_id for clip in clips}) == 1


def test_varieties_are_one_language_which_is_said(tmp_path):
    for name in ("en-US/a.wav", "en/b.wav", "English/c.wav", "de/d.wav", "French/e.wav"):
        touch(tmp_path / name)
    clips = read_folder(tmp_path, ReasonCounts())
    assert {clip.language for clip in clips} == {"en", "de", "fr"}
    assert joined_languages(clips) == ["English, en, en-US: one language, en."]


def test_bad_rows_of_metadata_are_counted_by_reason(tmp_path):
    source = tmp_path / "source"
    touch(source / "a.wav")
    touch(source / "unlisted.wav")
    outside = touch(tmp_path / "outside.wav")
    names = ["a.wav", "a.wav", "gone.wav", "../outside.wav", str(outside), "", "nul\0.wav"]
    rows = [{"file_name": name, "language": "fr"} for name in names]
    write_metadata(source, [*rows, {"file_name": "c.wav", "language": " "}])
    excluded = ReasonCounts()
    assert [c.file_name for c in read_folder(source, excluded)] == ["a.wav"]
    assert excluded.counts == {
        "listed twice": 1,
        "missing file": 2,
        "path leaves the folder": 2,
        "no file_name": 1,
        "no language": 1,
        "not in metadata.csv, ignored": 1,
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"file;language\na.wav;fr\n", "no column file_name and no column language"),
        (b"", "no column file_name"),
        (b"file_name,language,split\na.wav,fr,holdout\n", "line 2: 'holdout' is not a split"),
        (b"file_name,language,synthetic\na.wav,fr,perhaps\n", "line 2: synthetic is 'perhaps'"),
        ("file_name,language\nä.wav,fr\n".encode("latin-1"), "not UTF-8"),
        (b'file_name,language\n"a.wav,fr\n', "not a comma-separated table"),
        (b"file_name,language\ngone.wav,fr\n", "No recording found"),
    ],
)
def test_bad_metadata_is_one_sentence(tmp_path, content, sentence):
    touch(tmp_path / "a.wav")
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_folder(tmp_path, ReasonCounts())


def test_no_folder_and_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        read_folder(tmp_path / "gone", ReasonCounts())
    with pytest.raises(DataError, match="No recording found"):
        read_folder(tmp_path, ReasonCounts())


def test_licence_and_synthetic_filters(tmp_path):
    rows = [
        {"licence": "CC0-1.0"},
        {"licence": "CC-BY-4.0"},
        {"licence": "CC-BY-NC-4.0"},
        {"licence": ""},
        {"licence": "CC0-1.0", "synthetic": "yes"},
    ]
    for number, row in enumerate(rows):
        row.update(file_name=f"{number}.wav", language="fr")
        touch(tmp_path / row["file_name"])
    write_metadata(tmp_path, rows)
    clips = read_folder(tmp_path, ReasonCounts())

    def kept(**filters):
        return [c.file_name[0] for c in filter_clips(clips, ReasonCounts(), **filters)]

    assert kept() == ["0", "1", "2", "3", "4"]
    assert kept(include_synthetic=False) == ["0", "1", "2", "3"]
    assert kept(licences=("cc0-1.0",)) == ["0", "4"]
    assert kept(licences=("CC*",), exclude_licences=("*-nc-*",)) == ["0", "1", "4"]
    assert kept(exclude_licences=("unstated",)) == ["0", "1", "2", "4"]
    excluded = ReasonCounts()
    filter_clips(clips, excluded, ("CC*",), ("*NC*",), include_synthetic=False)
    assert excluded.counts == {"synthetic": 1, "licence excluded": 1, "licence not asked for": 1}
