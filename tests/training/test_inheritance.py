"""What a run's weights had learnt before it, in its figures and on its card."""

import json
import shutil
from dataclasses import replace

import pytest
from helpers.hub import local_hub
from helpers.hub_server import USER
from helpers.report import report_of
from helpers.training import interrupted_at, short_run

import train
from langid.checkpoint import EMBEDDED
from langid.config import ModelConfig
from langid.evaluation.report import METRICS_FILE, Report, Training, TrainingSource, read_report
from langid.hub.publish import push_folder
from langid.training.averaging import find_models
from langid.training.card import LICENCE, N_INHERITED, make_card
from langid.training.inheritance import read_parents, with_parents
from langid.training.outputs import RUN

CROWD = TrainingSource("crowd", "CC0-1.0", ("en", "fr"), 500, 1.5, 10, False)
BOOKS = replace(CROWD, source="books", licence="CC-BY-4.0", hours=2.0)
RADIO = replace(CROWD, source="radio", licence="CC-BY-NC-4.0", hours=7.0)
OWN = Training({"init": "first"}, (CROWD,))


def card_of(training: Training):
    return make_card(ModelConfig(), replace(report_of(), training=training))


def write_figures(folder, training: Training | None) -> str:
    folder.mkdir()
    text = replace(report_of(), training=training).to_json()
    (folder / METRICS_FILE).write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.slow
def test_a_run_from_the_embedded_weights_has_their_licence(dataset, tmp_path):
    small = ("--init", "embedded", "--steps", "2", "--batch-size", "4", "--utterance-share", "0")
    straight, halves = (
        short_run(dataset, tmp_path / name, *small, "--validate-every", "1")
        for name in ("straight", "halves")
    )
    assert train.main(straight) == 0
    with interrupted_at(1):
        assert train.main(halves) == 130
    assert train.main([*halves, "--resume"]) == 0

    training = read_report(tmp_path / "straight" / METRICS_FILE).training
    resumed = read_report(tmp_path / "halves" / METRICS_FILE).training
    embedded = read_report(EMBEDDED / METRICS_FILE).training
    assert training.parents == ("embedded",)
    assert {source.source for source in training.sources} == {"tones_a", "bells_b"}
    assert {source.licence for source in training.sources} == {"CC0-1.0"}
    assert set(embedded.sources) <= set(training.inherited)
    card = (tmp_path / "straight" / "README.md").read_text(encoding="utf-8")
    assert "license: other" in card and "started from `embedded`, which was trained on" in card
    _, licences = card.split("## Licences")
    assert "non-commercial use only" in licences and f"| {embedded.sources[0].source}" in card
    assert all(
        getattr(training, name) == getattr(resumed, name)
        for name in ("sources", "parents", "inherited", "unrecorded")
    )


def test_sources_of_the_parents_and_of_theirs_are_told_apart_from_its_own():
    first = Training({}, (RADIO, replace(CROWD, hours=9.0)), ("older",), (BOOKS,))
    second = Training({}, (replace(RADIO, hours=3.0), replace(BOOKS, hours=4.0)))
    training = with_parents(OWN, [("first", first), ("second", second)])
    assert training.sources == (CROWD,)  # and not once more as the first's
    assert training.inherited == (RADIO, replace(BOOKS, hours=4.0))  # the most hours of each
    assert (training.parents, training.unrecorded) == (("first", "second"), ())
    card = card_of(training)
    text = str(card)
    assert card.data.license == "other"
    assert "500 clips, 1.5 h." in text  # its own
    assert "`first`, `second`, which were trained on 1,000 clips, 11.0 h of other" in text
    assert "- non-commercial use only: 7.0 h (radio)" in text
    assert str(card_of(with_parents(OWN, []))) == str(card_of(OWN))


def test_many_sources_of_a_parent_are_the_most_hours_and_a_sum():
    many = [replace(BOOKS, source=f"s{i:02}", hours=1.0 + i) for i in range(N_INHERITED + 5)]
    card = card_of(with_parents(OWN, [("first", Training({}, tuple(many)))]))
    text = str(card)
    assert card.data.license == LICENCE
    assert "| s14 |" in text and "| s05 |" in text and "| s04 |" not in text
    assert "5 sources more, 2,500 clips, 15.0 h, are in `metrics.json`." in text
    assert "Attribution is in the table above, of what came before in `metrics.json`." in text


def test_a_run_that_goes_on_with_its_own_data_learnt_from_nothing_else():
    card = card_of(with_parents(OWN, [("first", Training({}, (CROWD,)))]))
    assert card.data.license == LICENCE
    assert "started from `first`, which was trained on no other sources." in str(card)
    assert str(card).count("| crowd |") == 1


@pytest.mark.parametrize("figures", [None, "{}", "without", "empty"])
def test_a_parent_without_figures_is_not_taken_for_free(tmp_path, capsys, figures):
    folder = tmp_path / "first"
    if figures in ("without", "empty"):
        write_figures(folder, Training({}, ()) if figures == "empty" else None)
    else:
        folder.mkdir()
        if figures:
            (folder / METRICS_FILE).write_text(figures)
    parents = read_parents(find_models(f"{folder}=1,embedded=1"))
    assert parents[0] == ("first", None) and parents[1][1].sources
    said = capsys.readouterr().out
    assert said == f"What {folder} was trained on is not recorded, and the card will say so.\n"

    card = card_of(with_parents(OWN, parents[:1]))
    assert card.data.license == "unknown" and "What `first` learnt from is not recorded." in str(
        card
    )
    assert "- not recorded: `first`" in str(card) and LICENCE not in str(card)
    mean = card_of(with_parents(Training({"mean of": "first,b"}, ()), parents[:1]))
    assert mean.data.license == "unknown" and "- not recorded: `first`" in str(mean)
    known = Training({}, (RADIO,))
    assert card_of(with_parents(OWN, [*parents[:1], ("b", known)])).data.license == "other"


def test_figures_come_with_a_model_of_the_hub(tmp_path, monkeypatch):
    first = tmp_path / "first"
    shutil.copytree(EMBEDDED, first)
    with local_hub(tmp_path, monkeypatch):
        push_folder(first, f"{USER}/first", RUN)
        ((name, training),) = read_parents(find_models(f"{USER}/first"))
    assert name == f"{USER}/first" and training == read_report(EMBEDDED / METRICS_FILE).training


def test_what_older_figures_do_not_tell_is_not_recorded(tmp_path):
    older = write_figures(tmp_path / "older", Training({"init": "embedded"}, (CROWD,)))
    training = with_parents(OWN, read_parents(find_models(older)))
    assert (training.parents, training.unrecorded) == (("older",), ("embedded",))
    assert card_of(training).data.license == "unknown"
    child = write_figures(tmp_path / "child", training)
    assert with_parents(OWN, read_parents(find_models(child))).unrecorded == (
        "embedded",
    )  # handed on
    new = write_figures(tmp_path / "new", Training({"init": None}, (CROWD,)))
    assert with_parents(OWN, read_parents(find_models(new))).unrecorded == ()


def test_the_embedded_figures_can_be_read_and_go_on_as_they_are():
    text = (EMBEDDED / METRICS_FILE).read_text(encoding="utf-8")
    report = Report.from_json(text)
    assert (
        json.loads(report.to_json())["training"]["sources"]
        == json.loads(text)["training"]["sources"]
    )
