"""The evaluation of a folder, with answers decided here and once with the real model."""

import csv
from pathlib import Path

import pytest
from helpers.identifier import FakeIdentifier, identification
from helpers.report import ROWS
from helpers.speech import SPEECH, needs_speech

from langid.data.folder import read_test_set
from langid.errors import AudioError, DataError
from langid.evaluation.evaluate import evaluate_folder
from langid.evaluation.report import ClassRecall, Failure, Group, OtherLanguage, Report
from langid.evaluation.text import format_report
from langid.identifier import LanguageIdentifier
from langid.languages import class_of


def write_folder(folder: Path, rows: list[dict[str, str]]) -> Path:
    """An audiofolder whose recordings are empty files."""
    folder.mkdir(exist_ok=True)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        (folder / row["file_name"]).touch()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("file_name", "language", "source", "split")
    rows = [dict(zip(names, row[:4], strict=True)) for row in ROWS]
    return write_folder(tmp_path / "clips", rows)


def identifier(**changes: object) -> FakeIdentifier:
    answers = {name: identification(p, duration_s=s) for name, *_, p, s in ROWS}
    return FakeIdentifier(answers | changes)


@pytest.fixture
def report(folder: Path) -> Report:
    return evaluate_folder(identifier(), folder, split="dev", progress=False)


def test_headline_figures(report: Report):
    assert report.n_clips == 8
    assert report.clip_accuracy == pytest.approx((1 + 1 / 2) / 2)
    # en 1/2, fr 1/2, other 1/2, none 1/2: a tie goes to the first label, here fr.
    assert report.clip_accuracy_open == pytest.approx(1 / 2)
    assert report.none_recall == pytest.approx(1 / 2)
    # P(other) of others 0.7 and 0.2 against 0.1, 0.6, 0.1, 0.0.
    assert report.other_auroc == pytest.approx((4 + 3) / 8)
    assert report.model == "fake weights"


def test_confusion_holds_every_clip_in_the_order_of_the_labels(report: Report):
    assert report.confusion.labels == ("en", "fr", "other", "none")
    assert report.confusion.matrix == (
        (1, 0, 1, 0),
        (1, 1, 0, 0),
        (1, 0, 1, 0),
        (0, 1, 0, 1),
    )


def test_per_language_has_every_label(report: Report):
    assert report.per_language == {
        "en": ClassRecall(2, 1.0, 0.5),
        "fr": ClassRecall(2, 0.5, 0.5),
        "other": ClassRecall(2, None, 0.5),
        "none": ClassRecall(2, None, 0.5),
    }


def test_wild_sources_are_apart_and_added_up(report: Report):
    assert set(report.per_source) == {"radio", "wild:one", "wild:two"}
    assert report.per_source["wild:two"] == Group(1, 0.0, 0.0, {"fr": ClassRecall(1, 0.0, 0.0)})
    assert report.wild.n == 3
    assert report.wild.clip_accuracy == pytest.approx((1 + 1 / 2) / 2)


def test_by_duration(report: Report):
    figures = {
        name: (group.n, group.clip_accuracy, group.clip_accuracy_open)
        for name, group in report.by_duration.items()
    }
    assert figures == {
        "under 3 s": (1, 1.0, 1.0),
        "3-6 s": (6, 1.0, pytest.approx(0.5)),
        "over 6 s": (1, 0.0, 0.0),
    }
    assert report.by_duration["under 3 s"].per_language == {"en": ClassRecall(1, 1.0, 1.0)}


def test_other_languages_say_what_they_were_taken_for(report: Report):
    assert report.other_languages == {
        "nl": OtherLanguage(1, 1.0, {}),
        "pt": OtherLanguage(1, 0.0, {"en": 1}),
    }


def test_speech_called_none_is_missed(report: Report, folder: Path):
    assert report.missed_speech_rate == 0.0  # of a to f
    silent = identification((0.1, 0.1, 0.1, 0.7))
    report = evaluate_folder(identifier(**{"a.wav": silent}), folder, "dev", progress=False)
    assert report.missed_speech_rate == pytest.approx(1 / 6)


def test_the_calibration_curve_is_what_the_ece_averages(report: Report):
    assert sum(point.n for point in report.calibration) == report.n_clips
    gaps = [point.n * abs(point.accuracy - point.confidence) for point in report.calibration]
    assert report.ece == pytest.approx(sum(gaps) / report.n_clips)


def test_only_the_validation_split_is_one_to_choose_by(folder: Path):
    for split, chosen in (("dev", True), ("validation", True), ("train", False), (None, False)):
        report = evaluate_folder(identifier(), folder, split, progress=False)
        assert report.used_for_selection is chosen


def test_a_model_without_the_other_answers_has_no_figures_for_them(folder: Path):
    labels = ("en", "fr")
    answers = {
        name: identification((p[0] + 0.1, p[1]), duration_s=s, labels=labels)
        for name, *_, p, s in ROWS
    }
    report = evaluate_folder(FakeIdentifier(answers, labels), folder, "dev", progress=False)
    assert report.clip_accuracy == pytest.approx((1 + 1 / 2) / 2)
    assert report.other_auroc is report.none_recall is report.missed_speech_rate is None
    assert sum(map(sum, report.confusion.matrix)) == 4  # clips that it has a label for
    assert format_report(report)


def test_worst_clips_come_most_confident_first(report: Report):
    worst = [(row.file, row.language, row.answer) for row in report.worst]
    assert worst == [
        ("d.wav", "fr", "en"),
        ("b.wav", "en", "other"),
        ("f.wav", "pt", "en"),
        ("h.wav", "music", "fr"),
    ]
    assert report.worst[0].confidence == 0.9


def test_real_time_factor_is_processing_time_by_audio_duration(report: Report):
    assert report.audio_s == pytest.approx(32.0)
    assert report.real_time_factor == pytest.approx(report.processing_s / 32.0)


def test_every_window_is_one_vote(folder: Path):
    # en: a has 1 right window of 1, b 1 of 3; fr: c 1 of 1, d 0 of 1.
    right, wrong = (0.9, 0.1, 0.0, 0.0), (0.1, 0.2, 0.7, 0.0)
    b = identification((0.3, 0.1, 0.6, 0.0), windows=[right, wrong, wrong])
    report = evaluate_folder(identifier(**{"b.wav": b}), folder, "dev", progress=False)
    assert report.n_windows == 10
    assert report.window_accuracy == pytest.approx((2 / 4 + 1 / 2) / 2)


def test_undecodable_clips_are_counted_and_reported(folder: Path):
    broken = identifier(**{"d.wav": AudioError("'d.wav' is not audio.")})
    report = evaluate_folder(broken, folder, "dev", progress=False)
    assert (report.n_clips, report.n_failed) == (7, 1)
    assert report.errors == (Failure("d.wav", "'d.wav' is not audio."),)
    assert report.clip_accuracy == 1.0


def test_nothing_decodable_is_an_error(tmp_path: Path):
    folder = write_folder(tmp_path, [{"file_name": "a.wav", "language": "en"}])
    with pytest.raises(DataError, match=r"None of the 1 clips .* a\.wav: it is no audio"):
        evaluate_folder(FakeIdentifier({"a.wav": AudioError("it is no audio")}), folder)


def test_figures_that_cannot_be_had_are_null_in_strict_json(tmp_path: Path):
    folder = write_folder(tmp_path, [{"file_name": "a.wav", "language": "en"}])
    fake = FakeIdentifier({"a.wav": identification((0.7, 0.1, 0.1, 0.1))})
    report = evaluate_folder(fake, folder, progress=False)
    assert Report.from_json(report.to_json()) == report
    for key in ("other_auroc", "none_recall", "wild"):
        assert getattr(report, key) is None
    assert report.per_language["fr"] == ClassRecall(0, None, None)
    assert list(report.per_source) == [tmp_path.name]


def test_without_split_every_clip_counts(folder: Path):
    assert evaluate_folder(identifier(), folder, progress=False).n_clips == len(ROWS)


@pytest.mark.parametrize(
    ("text", "code"),
    [("English", "en"), ("FR", "fr"), ("zh-TW", "zh"), ("Klingonese", "Klingonese")],
)
def test_languages_are_codes_or_names(tmp_path: Path, text: str, code: str):
    folder = write_folder(tmp_path, [{"file_name": "a.wav", "language": text}])
    assert read_test_set(folder)[0].language == code


def test_a_variety_counts_as_its_language(tmp_path: Path):
    rows = [("a.wav", "en-GB"), ("b.wav", "fr_CA"), ("c.wav", "pt-BR")]
    names = ("file_name", "language")
    folder = write_folder(tmp_path, [dict(zip(names, row, strict=True)) for row in rows])
    answers = {name: identification((0.7, 0.1, 0.1, 0.1)) for name, _ in rows}
    report = evaluate_folder(FakeIdentifier(answers), folder, progress=False)
    counts = {label: entry.n for label, entry in report.per_language.items()}
    assert counts == {"en": 1, "fr": 1, "other": 1, "none": 0}


def test_a_split_may_have_any_name(tmp_path: Path):
    row = {"file_name": "a.wav", "language": "en", "split": "Street-2"}
    folder = write_folder(tmp_path, [row])
    assert len(read_test_set(folder, "street-2")) == 1


def test_names_of_one_split_are_interchangeable(folder: Path):
    assert len(read_test_set(folder, "validation")) == len(read_test_set(folder, "dev")) == 8


def test_a_folder_of_folders_needs_no_metadata(tmp_path: Path):
    for name in ("French/a.wav", "english/anna/b.mp3", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {(c.file_name, c.language) for c in read_test_set(tmp_path)} == {
        ("French/a.wav", "fr"),
        ("english/anna/b.mp3", "en"),
    }


def test_an_unknown_split_is_an_error_that_names_those_there(folder: Path):
    with pytest.raises(DataError, match=r"no clip of the split 'test': its splits are dev, train"):
        read_test_set(folder, "test")


def test_a_split_of_a_folder_without_splits_is_an_error(tmp_path: Path):
    folder = write_folder(tmp_path, [{"file_name": "a.wav", "language": "en"}])
    with pytest.raises(DataError, match="leave --split out"):
        read_test_set(folder, "dev")


def test_missing_files_are_an_error_in_the_chosen_split_only(folder: Path):
    (folder / "t.wav").unlink()
    assert len(read_test_set(folder, "dev")) == 8
    with pytest.raises(DataError, match=r"1 of the 9 clips .* missing, such as t\.wav"):
        read_test_set(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column file_name and no column language"),
        ("path,language\na.wav,en\n", "no column file_name"),
        ("file_name,language\n", "No recording found"),
        ("file_name,language\na.wav,\n", "line 2: give both"),
        ("file_name,language\na.wav\n", "line 2: give both"),
    ],
)
def test_broken_metadata_is_an_error(tmp_path: Path, text: str, message: str):
    (tmp_path / "metadata.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_test_set(tmp_path)


def test_metadata_that_is_no_text_is_an_error(tmp_path: Path):
    (tmp_path / "metadata.csv").write_bytes(b"file_name,language\n\xff\xfe,en\n")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_test_set(tmp_path)


def test_a_folder_that_is_none_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="is not a folder"):
        read_test_set(tmp_path / "nowhere")


@needs_speech
def test_the_real_model_on_a_sample_of_real_speech(tmp_path: Path):
    wanted = dict.fromkeys(("en", "fr", "de", "es", "it", "nl", "ru"), 2)
    clips = []
    for clip in read_test_set(SPEECH, "dev"):
        if wanted.get(clip.language, 0) > 0:
            wanted[clip.language] -= 1
            clips.append(clip)
    rows = [{"file_name": str(c.path.resolve()), "language": c.language} for c in clips]
    with (tmp_path / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file_name", "language"])
        writer.writeheader()
        writer.writerows(rows)

    model = LanguageIdentifier.from_pretrained("embedded")
    report = evaluate_folder(model, tmp_path, progress=False)

    assert (report.n_clips, report.n_failed) == (14, 0)
    one_by_one = [[0] * len(model.labels) for _ in model.labels]
    for clip in clips:
        truth = class_of(clip.language, model.languages)
        answer = model.identify(clip.path).language
        one_by_one[model.labels.index(truth)][model.labels.index(answer)] += 1
    assert report.confusion.matrix == tuple(map(tuple, one_by_one))
    assert report.per_language["other"].n == 4
