"""What the tab "Many files" does, without a server."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from gradio.data_classes import FileData, ListFiles

import app
from langid.page import jobs
from langid.page.batch import MAX_FILES
from langid.page.texts import texts_in
from langid.space import batches as module
from langid.space.batches import CANCELLED, NO_ROOM, TOO_LARGE, Batches
from langid.space.handlers import GONE, Handlers

ANNA = SimpleNamespace(session_hash="anna")
SKIPPED = {"__type__": "update"}
TIMEOUT_S = 60


@pytest.fixture
def batches(identifier, monkeypatch, tmp_path) -> Batches:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return Batches(Handlers(identifier))


def files(*named: tuple[Path, str]) -> ListFiles:
    return ListFiles(root=[FileData(path=str(path), orig_name=name) for path, name in named])


def example(name: str) -> tuple[Path, str]:
    return app.EXAMPLES / f"{name}.flac", f"{name}.flac"


def write_long(path: Path, duration_s: int = 1800) -> tuple[Path, str]:
    speech, rate = soundfile.read(app.EXAMPLES / "german.flac", dtype="float32")
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for _ in range(round(duration_s * rate / len(speech))):
            file.write(speech)
    return path, path.name


def read_json(update: dict) -> list[dict]:
    assert update["visible"]
    return json.loads(Path(update["value"]).read_text(encoding="utf-8"))


def test_rows_come_one_after_the_other_and_can_be_downloaded(batches, identifier, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("This is no sound at all.\n" * 20)
    gone = (tmp_path / "gone.wav", "gone.wav")
    french = app.EXAMPLES / "french.flac"
    chosen = files((french, "a.flac"), (broken, "=b.wav"), gone, (french, "a.flac"))
    updates = list(batches.run(chosen, 1, ["huge.wav"], ANNA))
    views = [update[0] for update in updates]
    assert {view["ticket"] for view in views} == {1}
    assert [view["state"] for view in views[:-1]] == ["working"] * (len(views) - 1)
    n_done = [int(view["html"].split(" of 5 files")[0].split(">")[-1]) for view in views[:-1]]
    assert n_done == sorted(n_done) and n_done[0] == 1 and n_done[-1] == 5
    assert updates[0][1]["visible"] is False  # the files of the batch before
    last, table, whole, _ = updates[-1]
    assert last["state"] == "done" and last["words"] == "5 files: French 2, not identified 3"
    assert Path(table["value"]).name == "languages.csv"
    assert "'=b.wav" in Path(table["value"]).read_text(encoding="utf-8-sig")
    names = ["a.flac", "=b.wav", "gone.wav", "a.flac", "huge.wav"]
    found = read_json(whole)
    assert [row.pop("file") for row in found] == names
    assert found[0] == found[3] == json.loads(json.dumps(identifier.identify(french).to_dict()))
    assert "is not audio" in found[1]["error"]
    assert [found[2], found[4]] == [{"error": GONE}, {"error": TOO_LARGE}]
    # The folder that is swept holds them; nothing works on.
    assert Path(table["value"]).is_relative_to(tmp_path / "cache")
    assert batches.handlers.scheduler.n_jobs == 0


def test_short_ones_do_not_wait_for_long_ones(batches, tmp_path):
    chosen = files(write_long(tmp_path / "long.flac"), example("french"), example("german"))
    updates = batches.run(chosen, 1, [], ANNA)
    views = (view["html"] for view, *_ in updates)
    html = next(html for html in views if "identified to" in html and "2 of 3 files" in html)
    assert html.index("identified to") < html.index("French") < html.index("German")
    updates.close()
    assert batches.handlers.scheduler.n_jobs == 0


def test_more_than_fifty_are_told_so_and_nothing_is_identified(batches, monkeypatch):
    monkeypatch.setattr(batches.handlers, "steps", pytest.fail)
    for chosen, left_out in (
        (files(*[example("french")] * (MAX_FILES + 1)), []),
        (None, ["a.wav"] * (MAX_FILES + 1)),
    ):
        ((view, *buttons, _),) = batches.run(chosen, 1, left_out, ANNA)
        assert view["state"] == "error" and f"These are {MAX_FILES + 1} files" in view["words"]
        assert [button["visible"] for button in buttons] == [False, False]


def test_cancel_keeps_what_is_known(batches, tmp_path):
    chosen = files(example("french"), *(write_long(tmp_path / f"{name}.flac") for name in "ab"))
    updates = batches.run(chosen, 1, None, ANNA)
    views = (view["html"] for view, *_ in updates)
    html = next(html for html in views if "1 of 3 files" in html and "identified to" in html)
    assert "French" in html
    batches.cancel(1, ANNA)
    start_s = time.monotonic()
    *_, (view, _, whole, _) = updates
    assert time.monotonic() - start_s < 10 and batches.handlers.scheduler.n_jobs == 0
    assert view["state"] == "done" and view["words"] == "3 files: French 1, not identified 2"
    found = read_json(whole)
    assert found[0]["language"] == "fr"
    assert found[1:] == [
        {"file": "a.flac", "error": CANCELLED},
        {"file": "b.flac", "error": CANCELLED},
    ]


@pytest.mark.parametrize("end", ["newer", "leave"])
def test_a_newer_batch_or_a_visitor_who_left_ends_the_work(batches, tmp_path, end):
    chosen = files(*(write_long(tmp_path / f"{name}.flac") for name in "ab"))
    updates = batches.run(chosen, 1, [], ANNA)
    next(view for view, *_ in updates if "identified to" in view["html"])
    if end == "leave":
        batches.leave(ANNA)
    else:
        *_, (view, *_) = batches.run(files(example("german")), 2, [], ANNA)
        assert view["ticket"] == 2 and view["words"] == "1 file: German 1"
    # The old one must not touch the buttons, which are the newer batch's by now.
    assert all(view["state"] == "working" for view, *_ in updates)
    assert batches.handlers.scheduler.n_jobs == 0


def test_a_batch_waits_where_single_recordings_are_told_to_come_back(batches, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_JOBS", 0)
    monkeypatch.setattr(module, "POLL_S", 0.01)
    updates = batches.run(files(example("french")), 1, [], ANNA)
    seen = [next(updates)[0]["html"] for _ in range(3)]
    assert "waiting" in seen[-1] and "0 of 1 file" in seen[-1]
    monkeypatch.setattr(jobs, "MAX_JOBS", 64)
    *_, (view, *_) = updates
    assert view["words"] == "1 file: French 1"
    monkeypatch.setattr(jobs, "MAX_JOBS", 0)
    updates = batches.run(files(example("french")), 2, [], ANNA)
    for _ in range(3):
        next(updates)
    batches.cancel(2, ANNA)
    *_, (view, *_) = updates
    assert view["words"] == "1 file: not identified 1"


def test_a_full_disk_costs_the_downloads_only(batches, monkeypatch):
    def fail(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.tempfile, "mkdtemp", fail)
    *_, (view, *buttons, _) = batches.run(files(example("french")), 1, [], ANNA)
    assert view["state"] == "done" and NO_ROOM in view["html"] and "French" in view["html"]
    assert not any(button.get("visible") for button in buttons)


def test_candidates_hold_for_table_and_files_by_the_arithmetic_of_a_single_recording(
    batches, identifier
):
    chosen = files(example("french"), example("dutch"))
    kept = ["en", "de", "es", "it"]
    *updates, (view, table, whole, done) = batches.run(chosen, 1, [], ANNA, "de", kept)
    expected = [
        identifier.identify(app.EXAMPLES / f"{name}.flac").restricted(kept).to_dict()
        for name in ("french", "dutch")
    ]
    assert "Französisch" not in "".join(update[0]["html"] for update in updates) + view["html"]
    assert "Gewählt nur unter: Englisch, Deutsch, Spanisch und Italienisch." in view["html"]
    names = ("french.flac", "dutch.flac")
    rows = [{"file": name, **row} for name, row in zip(names, expected, strict=True)]
    assert read_json(whole) == json.loads(json.dumps(rows))
    csv = Path(table["value"]).read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1].strip('"') for line in csv[1:]] == [row["language"] for row in rows]
    # Others later, by arithmetic alone.
    view, _, whole = batches.restrict(done, list(batches.labels), ANNA, "de")
    assert read_json(whole)[0]["language"] == "fr" and "nur unter" not in view["html"]
    view, *buttons = batches.restrict(done, [], ANNA, "de")
    assert view["state"] == "error" and not any(button["visible"] for button in buttons)


def test_without_a_candidate_the_files_are_identified_for_the_choice_to_come(batches):
    chosen = files(example("french"), example("german"))
    *_, (view, *buttons, done) = batches.run(chosen, 1, [], ANNA, "de", [])
    assert (view["state"], view["words"]) == ("error", texts_in("de")("work.no_candidate"))
    assert not any(button["visible"] for button in buttons)
    view, _, whole = batches.restrict(done, ["fr", "de"], ANNA, "de")
    assert view["words"] == "2 Dateien: Französisch 1, Deutsch 1"
    assert [row["language"] for row in read_json(whole)] == ["fr", "de"]


def test_an_older_batch_leaves_table_files_and_rows_to_the_newer_one(batches):
    french = files(example("french"))
    *_, (view, *_, done) = batches.run(french, 1, [], ANNA)
    assert view["words"] == "1 file: French 1"
    old = batches.run(french, 2, [], ANNA)
    next(view for view, *_ in old if "1 of 1 file" in view["html"])  # too late to cancel it
    batches.visitors.arrive("anna", 4)
    assert list(old) == []
    # The requests for a batch and for its candidates may be overtaken as well.
    assert list(batches.run(french, 3, [], ANNA)) == []
    assert batches.restrict(done, ["de"], ANNA) == (SKIPPED,) * 3
    batches.leave(ANNA)  # a phone that comes back
    assert batches.restrict(done, ["de"], ANNA)[0]["ticket"] == 1


def test_two_batches_and_a_single_recording_at_once(batches):
    """Nobody waits for ever, and the single one is not queued behind the batches."""
    done, chosen = [], files(*[example("french"), example("german")] * 5)

    def run(name):
        *_, (view, *_) = batches.run(chosen, 1, [], SimpleNamespace(session_hash=name))
        done.append(view["words"])

    threads = [threading.Thread(target=run, args=(name,)) for name in ("anna", "ben")]
    for thread in threads:
        thread.start()
    steps = list(batches.handlers.scheduler.identify(str(app.EXAMPLES / "italian.flac")))
    assert steps[-1].answer.language == "it" and not any(step.is_waiting for step in steps)
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert done == ["10 files: French 5, German 5"] * 2
