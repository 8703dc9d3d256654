"""The report as it is kept: what is written is read back, and nothing else."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest
from helpers.report import report_of
from pydantic import ValidationError

from langid.errors import DataError
from langid.evaluation.report import Report, Training, TrainingSource, read_report

CROWD = TrainingSource("crowd", "CC0-1.0", ("en", "fr"), 500, 1.5, 10, False)


def trained_on(*names: str) -> Report:
    sources = tuple(replace(CROWD, source=name) for name in names)
    return replace(report_of(), training=Training({"seed": 0, "init": None}, sources))


def test_a_report_reads_itself_back(tmp_path):
    report = replace(trained_on("crowd"), peer=report_of(), conditions={"codec": 1.5})
    path = tmp_path / "metrics.json"
    path.write_text(report.to_json(), encoding="utf-8")
    assert read_report(path) == report


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda raw: raw.pop("ece"), "ece: Field required"),
        (lambda raw: raw.update(times_real_time=3.0), "times_real_time: Unexpected"),
        (lambda raw: raw["wild"].pop("n"), "wild.n: Field required"),
        (lambda raw: raw.update(n_clips="eight"), "n_clips: Input should be a valid integer"),
        (lambda raw: raw.update(ece="0.1"), "ece: Input should be a valid number"),
    ],
)
def test_what_is_unknown_missing_or_of_another_type_is_refused_by_name(change, field):
    raw = json.loads(report_of().to_json())
    change(raw)
    with pytest.raises(DataError, match=rf"^This is no report of langid .*\({field}"):
        Report.from_json(json.dumps(raw))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"NaN"])
def test_what_is_no_report_at_all_is_a_sentence_with_the_file(tmp_path, text):
    path = tmp_path / "metrics.json"
    path.write_bytes(text)
    with pytest.raises(DataError, match=r"metrics\.json: This is no report"):
        read_report(path)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json cannot be read: No such file"):
        read_report(tmp_path / "metrics.json")


def test_a_report_cannot_be_changed_nor_hold_a_nan():
    report = report_of()
    with pytest.raises(FrozenInstanceError):
        report.ece = 0.0
    with pytest.raises(ValidationError):
        replace(report, ece=float("nan"))


def test_wild_sources_are_unseen_only_where_the_training_proves_it():
    assert not report_of().wild_is_unseen  # nothing is known of the training
    assert not trained_on().wild_is_unseen
    assert trained_on("crowd", "radio").wild_is_unseen
    assert not trained_on("crowd", "wild:two").wild_is_unseen
    assert not trained_on("crowd", "two").wild_is_unseen
    assert not replace(trained_on("crowd"), wild=None).wild_is_unseen


def test_what_the_weights_started_from_counts_for_what_is_unseen():
    report = trained_on("crowd")
    for seen in (
        {"inherited": (replace(CROWD, source="wild:two"),)},
        {"parents": ("first",), "unrecorded": ("first",)},
    ):
        assert not replace(report, training=replace(report.training, **seen)).wild_is_unseen
    other = replace(report.training, inherited=(replace(CROWD, source="radio"),))
    assert replace(report, training=other).wild_is_unseen


def test_figures_from_before_parents_were_recorded_can_be_read():
    raw = json.loads(trained_on("crowd").to_json())
    for name in ("parents", "inherited", "unrecorded"):
        del raw["training"][name]
    assert Report.from_json(json.dumps(raw)) == trained_on("crowd")
