"""The page's server, through the real Gradio client and through bare HTTP."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from helpers.app import served, served_page
from helpers.audio import two_tracks

import app
from langid import LanguageIdentifier, WeightsError
from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.config import ModelConfig
from langid.languages import language_name
from langid.model import LanguageCNN
from langid.page import clients
from langid.page.disk import DISK_FULL
from langid.space.handlers import GONE

ROOT = Path(app.__file__).parent
FRENCH = ROOT / "examples" / "french.flac"
FILE_META = {"_type": "gradio.FileData"}


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.fixture(scope="module")
def server(identifier):
    with served_page(identifier) as (url, page):
        yield url.rstrip("/"), page


@pytest.fixture(scope="module")
def url(server) -> str:
    return server[0]


@pytest.fixture(scope="module")
def client(url) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def predict(client: Client, path: Path, *candidates) -> tuple[dict, dict]:
    return client.predict(handle_file(str(path)), *candidates, api_name="/predict")


def page_text(url: str) -> str:
    """Everything that the page is built from."""
    with urllib.request.urlopen(f"{url.rstrip('/')}/config", timeout=30) as response:
        return json.dumps(json.load(response), ensure_ascii=False)


def post(url: str, body: object) -> dict:
    """The answer to a body of JSON; one with the key "detail" or "error" for an HTTP error."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def health(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/health", timeout=30) as response:
        return json.load(response)


def call(url: str, body: dict, version: str = "") -> tuple[str, object]:
    """Event and data of the answer to ``POST /call/predict`` and the ``GET`` that follows."""
    event_id = post(f"{url}/gradio_api/call/{version}predict", body)["event_id"]
    answer = f"{url}/gradio_api/call/{version}predict/{event_id}"
    with urllib.request.urlopen(answer, timeout=60) as stream:
        event = "heartbeat"
        for line in stream:
            kind, _, value = line.decode().strip().partition(": ")
            if kind == "event":
                event = value
            elif kind == "data" and event != "heartbeat":
                return event, json.loads(value)
    raise AssertionError("The stream ended without an answer.")


def upload(url: str, path: Path) -> dict:
    """The file as the server knows it afterwards."""
    boundary = "b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"'
    body = f"{head}\r\n\r\n".encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{url}/gradio_api/upload",
        body,
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return {"path": json.load(response)[0], "meta": FILE_META}


def write_speech(path: Path, duration_s: float) -> Path:
    """The French example over and over."""
    speech, rate = soundfile.read(FRENCH, dtype="float32")
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for _ in range(round(duration_s * rate / len(speech))):
            file.write(speech)
    return path


def test_a_client_gets_what_the_package_says(client, identifier):
    label, result = predict(client, FRENCH)
    expected = identifier.identify(FRENCH)
    assert result["language"] == expected.language
    assert result["probabilities"] == pytest.approx(expected.probabilities)
    assert result["duration_s"] == pytest.approx(expected.duration_s)
    assert result.keys() == expected.to_dict().keys()
    assert len(result["windows"]) == len(expected.windows) > 1
    assert label["label"] == language_name(expected.language)
    shown = {row["label"]: row["confidence"] for row in label["confidences"]}
    named = {language_name(code): share for code, share in expected.probabilities.items()}
    assert shown == pytest.approx(named)
    assert list(shown.values()) == sorted(shown.values(), reverse=True)


@pytest.mark.parametrize("candidates", [["en", "fr"], ["French", "english"]])
def test_candidates_are_codes_or_names(client, identifier, candidates):
    label, result = predict(client, FRENCH, candidates)
    expected = identifier.identify(FRENCH, languages=["en", "fr"])
    assert result["probabilities"] == pytest.approx(expected.probabilities)
    assert result["probabilities"]["en"] + result["probabilities"]["fr"] == pytest.approx(1)
    assert label["label"] in ("English", "French")


def test_no_restriction_may_be_sent_as_null(client):
    assert predict(client, FRENCH, None)[1] == predict(client, FRENCH)[1]


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ([], "No candidate is chosen"),
        (["en", "klingon"], "cannot answer 'klingon'"),
        (5, "5 names no language: choose among en"),
        ([5], "names no language"),
        ({"en": 1, "xx": 2}, "cannot answer 'xx'"),
    ],
)
def test_bad_candidates_give_a_sentence(client, candidates, sentence):
    with pytest.raises(AppError, match=sentence):
        predict(client, FRENCH, candidates)


def test_no_audio_gives_a_sentence(client):
    with pytest.raises(AppError, match="There is no recording yet"):
        client.predict(None, api_name="/predict")


def test_a_text_called_wav_gives_a_sentence(client, tmp_path):
    path = tmp_path / "speech.wav"
    path.write_text("This is no sound at all.\n" * 20)
    with pytest.raises(AppError, match=r"speech\.wav.* is not audio"):
        predict(client, path)


def test_a_recording_over_four_hours_is_refused(client, tmp_path):
    path = tmp_path / "day.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(4 * 60 + 1):
            file.write(np.zeros(60 * 8_000, dtype=np.int16))
    start_s = time.monotonic()
    with pytest.raises(AppError, match="lasts more than 4 h"):
        predict(client, path)
    assert time.monotonic() - start_s < 10


def test_silence_has_an_answer(client, identifier, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(3 * 16_000, dtype=np.float32), 16_000)
    label, result = predict(client, path)
    assert sum(result["probabilities"].values()) == pytest.approx(1)
    assert result == identifier.identify(path).to_dict()
    assert label["label"] == language_name(result["language"])


def test_bare_http_takes_an_omitted_value(url):
    audio = upload(url, FRENCH)
    for version, body in (("", {"data": [audio]}), ("v2/", {"audio": audio})):
        event, (label, result) = call(url, body, version)
        assert (event, label["label"], result["language"]) == ("complete", "French", "fr")


def test_an_audio_track_is_chosen_over_the_api(client, tmp_path):
    path = tmp_path / "film.mkv"
    path.write_bytes(two_tracks())
    _, default = client.predict(handle_file(path), api_name="/predict")
    _, second = client.predict(handle_file(path), audio_track=2, api_name="/predict")
    assert any("1 of 2 audio tracks" in warning for warning in default["warnings"])
    assert [round(result["duration_s"], 1) for result in (default, second)] == [1.5, 2.0]
    with pytest.raises(AppError, match="no track 3: choose 1 to 2"):
        client.predict(handle_file(path), audio_track=3, api_name="/predict")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([None], "There is no recording yet"),
        ([], "There is no recording yet"),
        ([5], "could not be fetched"),
        (["https://example.org/a.wav"], "could not be fetched"),
        ([{"path": "http://127.0.0.1:1/a.wav", "meta": FILE_META}], "could not be fetched"),
        ([{"path": "/etc/passwd", "meta": FILE_META}], "could not be fetched"),
        ([{"path": str(FRENCH), "meta": FILE_META}, 5], "5 names no language"),
        ([{"path": str(FRENCH), "meta": FILE_META}, None, "two"], "'two' is no audio track"),
    ],
)
def test_bare_http_gets_a_sentence_for_every_mistake(url, data, sentence):
    event, answer = call(url, {"data": data})
    assert event == "error" and sentence in answer["error"]
    for secret in ("/etc", "/tmp", "127.0.0.1", "Traceback", str(ROOT)):
        assert secret not in answer["error"]


def test_what_is_asked_in_a_wrong_way_gets_a_sentence_as_well(url):
    for path, body in [
        ("call/v2/predict", {}),
        ("call/v2/predict", {"audio": None, "colour": "red"}),
        ("call/predicted", {"data": []}),
        ("call/v2/predicted", {}),
        ("run/predict", {"data": []}),
    ]:
        answer = post(f"{url}/gradio_api/{path}", body)
        sentence = answer.get("error") or answer.get("detail")
        assert isinstance(sentence, str) and len(sentence) > 10, path


def test_a_recording_that_was_deleted_says_load_it_again(url, tmp_path):
    path = tmp_path / "gone.flac"
    soundfile.write(path, np.zeros(16_000), 16_000)
    audio = upload(url, path)
    os.unlink(audio["path"])
    event, answer = call(url, {"data": [audio]})
    assert event == "error" and answer["error"] == GONE


def test_a_recording_that_the_disk_has_no_room_for_says_so(url, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/secret")

    monkeypatch.setattr(gr.Audio, "preprocess", fail)
    event, answer = call(url, {"data": [{"path": str(FRENCH), "meta": FILE_META}]})
    assert event == "error" and answer["error"] == DISK_FULL


def test_only_predict_is_documented_and_well(client, identifier):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/predict"]
    predict_info = endpoints["/predict"]
    audio, candidates, track = predict_info["parameters"]
    names = [parameter["parameter_name"] for parameter in (audio, candidates, track)]
    assert names == ["audio", "candidates", "audio_track"]
    assert audio["python_type"]["type"] == "filepath" and not audio["parameter_has_default"]
    assert candidates["type"]["items"]["enum"] == list(identifier.labels)
    assert candidates["parameter_has_default"] and track["parameter_has_default"]
    assert [output["label"] for output in predict_info["returns"]] == [
        "Probabilities by English name",
        "The whole result",
    ]
    for word in ("`candidates`", "`audio_track`", "`windows`", "`segments`", "`confidence`"):
        assert word in predict_info["description"]


def test_the_handlers_answer_without_a_server(identifier, tmp_path):
    handlers = app.Handlers(identifier)
    visitor = SimpleNamespace(session_hash="anna")
    bars, result = handlers.predict(str(FRENCH), ["French", "en"])
    assert result["language"] == "fr" and bars["English"] + bars["French"] == pytest.approx(1)
    with pytest.raises(gr.Error, match="There is no recording yet"):
        handlers.predict(None)

    *_, (view, shown) = handlers.show(str(FRENCH), 1, list(identifier.labels), visitor)
    assert (view["ticket"], view["state"]) == (1, "done")
    assert view["words"].startswith("French, ") and "among all" not in view["html"]
    few = handlers.restrict(shown, ["en", "it"])
    assert few["ticket"] == 1 and "Among all answers: French, " in few["html"]
    assert handlers.restrict(shown, [])["state"] == "error"
    assert handlers.scheduler.n_jobs == 0

    path = tmp_path / "<b>*notes*.wav"
    path.write_text("This is no sound at all.\n" * 20)
    *_, (view, shown) = handlers.show(str(path), 2, list(identifier.labels), visitor)
    assert view["state"] == "error" and "&lt;b&gt;*notes*.wav" in view["html"] and shown is None


def test_a_newer_recording_or_cancel_ends_the_work_on_the_page(identifier, tmp_path):
    handlers = app.Handlers(identifier)
    visitor = SimpleNamespace(session_hash="anna")
    path = str(write_speech(tmp_path / "long.flac", 1800))
    labels = list(identifier.labels)
    for ticket, end in (
        (7, lambda: handlers.visitors.arrive("anna", 8)),
        (9, lambda: next(handlers.show(None, 10, labels, visitor), None)),  # Clear
    ):
        views = handlers.show(path, ticket, labels, visitor)
        assert next(views)[0]["state"] == "working"
        end()
        start_s = time.monotonic()
        list(views)
        assert time.monotonic() - start_s < 3 and handlers.scheduler.n_jobs == 0
    views = handlers.show(path, 11, labels, visitor)
    first = next(views)[0]
    assert "%" in first["html"] and "left" in first["html"] and "French" in first["html"]
    handlers.cancel(11, visitor)
    *_, (view, shown) = views
    assert view["state"] == "done" and "French" in view["html"]
    assert 0 < shown[1].duration_s < 1700


def test_a_job_that_nobody_listens_to_does_not_start(server, monkeypatch, tmp_path):
    url, page = server
    monkeypatch.setattr(clients, "GRACE_S", 1.0)
    audio = upload(url, write_speech(tmp_path / "long.flac", 3600))
    started = []
    scheduler = page.handlers.scheduler
    monkeypatch.setattr(scheduler, "identify", lambda *_: started.append(1) or iter(()))
    for session in ("one", "two"):
        fn = {"data": [audio, None], "fn_index": predict_index(url), "session_hash": session}
        assert "event_id" in post(f"{url}/gradio_api/queue/join", fn)
    assert "event_id" in post(f"{url}/gradio_api/call/predict", {"data": [audio]})
    time.sleep(3)
    assert started == [] and health(url)["queue"]["jobs"] == 0


def predict_index(url: str) -> int:
    with urllib.request.urlopen(f"{url}/config", timeout=30) as response:
        config = json.load(response)
    return next(d["id"] for d in config["dependencies"] if d["api_name"] == "predict")


def test_work_stops_when_its_client_leaves(url, tmp_path):
    path = write_speech(tmp_path / "long.flac", 3600)
    code = (
        "import sys\nfrom gradio_client import Client, handle_file\n"
        "client = Client(sys.argv[1], verbose=False, analytics_enabled=False)\n"
        "client.submit(handle_file(sys.argv[2]), api_name='/predict').result()\n"
    )
    leaving = subprocess.Popen([sys.executable, "-c", code, url, str(path)])
    try:
        wait_until(lambda: health(url)["queue"]["jobs"] == 1, 60)
    finally:
        leaving.kill()
        leaving.wait()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 5)


def test_work_stops_when_its_client_cancels(url, client, tmp_path):
    path = write_speech(tmp_path / "long.flac", 3600)
    job = client.submit(handle_file(str(path)), api_name="/predict")
    wait_until(lambda: health(url)["queue"]["jobs"] == 1, 60)
    job.cancel()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 5)


@pytest.mark.slow
def test_short_clips_do_not_wait_for_hours(url, client, tmp_path):
    hour = write_speech(tmp_path / "hour.flac", 3600)
    clip = write_speech(tmp_path / "clip.flac", 9)
    audio = upload(url, hour)
    for _ in range(2):  # asked for, and never listened to
        post(f"{url}/gradio_api/call/predict", {"data": [audio]})
    live = [client.submit(handle_file(str(hour)), api_name="/predict") for _ in range(2)]
    wait_until(lambda: health(url)["queue"]["jobs"] >= 2, 60)
    took_s = []
    for _ in range(10):
        start_s = time.monotonic()
        assert predict(client, clip)[1]["language"] == "fr"
        took_s.append(time.monotonic() - start_s)
    assert not any(job.done() for job in live), "the hours ended before the clips: measure again"
    for job in live:
        job.cancel()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 10)
    print("10 clips of 9 s, in s:", *(f"{each:.2f}" for each in sorted(took_s)))
    assert max(took_s) < 4


def test_a_bounded_number_of_sessions_is_remembered(identifier, monkeypatch):
    monkeypatch.setattr(app, "MAX_SESSIONS", 2)
    with served_page(identifier) as (url, page):
        url = url.rstrip("/")
        body = {"data": [None], "fn_index": predict_index(url)}
        for i in range(6):
            asked = body | {"session_hash": f"visitor {i}"}
            assert "event_id" in post(f"{url}/gradio_api/queue/join", asked)
        wait_until(lambda: not page._queue.event_ids_to_events, 60)
        assert 1 <= len(page.state_holder.session_data) <= 3


def test_health_tells_what_is_served(url):
    told = health(url)
    assert told["status"] == "ok" and told["weights"] == EMBEDDED_NAME
    assert told["revision"] is None and told["version"]
    assert told["uptime_s"] > 0 and told["queue"]["jobs"] == 0
    assert health(url)["uptime_s"] >= told["uptime_s"]


def test_health_counts_who_is_listened_to(server, tmp_path):
    url, page = server
    visitor, live = SimpleNamespace(session_hash="visitor"), page.handlers.live
    live.listen(shutil.copy(FRENCH, tmp_path / "chunk.flac"), 1, visitor)
    assert health(url)["queue"]["listeners"] == 1
    live.leave(visitor)
    assert health(url)["queue"]["listeners"] == 0


def test_the_page_names_its_weights(url):
    text = page_text(url)
    assert f"Weights: the {EMBEDDED_NAME} of version" in text
    assert "could not be loaded" not in text


def test_every_example_is_a_recording(identifier):
    for name in app.EXAMPLE_CLIPS:
        assert identifier.identify(app.EXAMPLES / f"{name}.flac").duration_s > 5


def test_weights_that_cannot_be_had_are_replaced_and_named(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("LANGID_MODEL", str(tmp_path))  # a folder without weights
    with caplog.at_level(logging.WARNING, logger="langid.app"):
        identifier, notice = app.load_identifier()
    assert identifier.source == EMBEDDED_NAME
    assert str(tmp_path) in notice and "embedded" in notice
    assert "Serving the embedded weights instead" in caplog.text
    with served(identifier, notice) as url:
        assert notice in page_text(url)


def test_weights_with_impossible_settings_are_replaced_and_named(monkeypatch, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(EMBEDDED, folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "n_mels": "64"}))
    monkeypatch.setenv("LANGID_MODEL", str(folder))
    identifier, notice = app.load_identifier()
    assert identifier.source == EMBEDDED_NAME and str(folder) in notice


def test_the_page_promises_what_its_weights_answer(tmp_path):
    config = ModelConfig(labels=("en", "nl", "none"), stem_channels=4, width=16)
    identifier = LanguageIdentifier(LanguageCNN(config), str(tmp_path))
    text = app.build(identifier).config["i18n_translations"]["en"]["page.head"]
    assert "tells English and Dutch apart. It also says when nobody speaks." in text
    assert "when another language is spoken" not in text


def test_without_a_wish_there_is_no_notice(monkeypatch):
    monkeypatch.delenv("LANGID_MODEL", raising=False)
    identifier, notice = app.load_identifier()
    assert identifier.source == EMBEDDED_NAME and notice is None


def test_unusable_embedded_weights_are_an_error(monkeypatch):
    def fail(*_):
        raise WeightsError("no weights")

    monkeypatch.delenv("LANGID_MODEL", raising=False)
    monkeypatch.setattr(LanguageIdentifier, "from_pretrained", fail)
    with pytest.raises(WeightsError, match="no weights"):
        app.load_identifier()


def wait_until(is_true, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.1)
