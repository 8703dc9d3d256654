"""The page's server, through the real Gradio client."""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from helpers.app import served

import app
from langid import LanguageIdentifier, WeightsError
from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.config import ModelConfig
from langid.languages import language_name
from langid.model import LanguageCNN

ROOT = Path(app.__file__).parent
FRENCH = ROOT / "examples" / "french.flac"
START_TIMEOUT_S = 400  # on a busy machine the imports alone take two minutes


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_pretrained("embedded")


@pytest.fixture(scope="module")
def url(identifier):
    with served(identifier) as url:
        yield url


@pytest.fixture(scope="module")
def client(url) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def predict(client: Client, path: Path, *candidates) -> tuple[dict, dict]:
    return client.predict(handle_file(str(path)), *candidates, api_name="/predict")


def page_text(url: str) -> str:
    """Everything that the page is built from."""
    with urllib.request.urlopen(f"{url.rstrip('/')}/config", timeout=30) as response:
        return json.dumps(json.load(response), ensure_ascii=False)


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
    [([], "No candidate is chosen"), (["en", "klingon"], "cannot answer 'klingon'")],
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


def test_silence_has_an_answer(client, identifier, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(3 * 16_000, dtype=np.float32), 16_000)
    label, result = predict(client, path)
    assert sum(result["probabilities"].values()) == pytest.approx(1)
    assert result == identifier.identify(path).to_dict()
    assert label["label"] == language_name(result["language"])


def test_only_predict_is_documented_and_well(client, identifier):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/predict"]
    predict_info = endpoints["/predict"]
    audio, candidates = predict_info["parameters"]
    assert (audio["parameter_name"], candidates["parameter_name"]) == ("audio", "candidates")
    assert audio["python_type"]["type"] == "filepath" and not audio["parameter_has_default"]
    assert candidates["type"]["items"]["enum"] == list(identifier.labels)
    assert candidates["parameter_has_default"]
    assert [output["label"] for output in predict_info["returns"]] == [
        "Probabilities by English name",
        "The whole result",
    ]
    for word in ("`candidates`", "`windows`", "`segments`", "`confidence`"):
        assert word in predict_info["description"]


def test_the_page_names_its_weights(url):
    text = page_text(url)
    assert f"Weights: the {EMBEDDED_NAME} of version" in text
    assert "could not be loaded" not in text


def test_the_handlers_answer_without_a_server(identifier, tmp_path):
    handlers = app.Handlers(identifier)
    bars, result = handlers.predict(str(FRENCH), ["French", "en"])
    assert result["language"] == "fr" and bars["English"] + bars["French"] == pytest.approx(1)
    with pytest.raises(gr.Error, match="There is no recording yet"):
        handlers.predict(None)
    *_, (bars, summary, *_) = handlers.show(str(FRENCH), ["fr", "en"])
    assert set(bars) == {"English", "French"} and "Chosen only among" in summary
    path = tmp_path / "notes.wav"
    path.write_text("This is no sound at all.\n" * 20)
    shown = handlers.show(str(path), None)
    next(shown)
    assert "is not audio" in next(shown)[1]
    with pytest.raises(gr.Error, match="is not audio"):
        next(shown)


def test_a_recording_over_four_hours_is_refused(client, tmp_path):
    path = tmp_path / "day.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(4 * 60 + 1):
            file.write(np.zeros(60 * 8_000, dtype=np.int16))
    start_s = time.monotonic()
    with pytest.raises(AppError, match="lasts more than 4 h"):
        predict(client, path)
    assert time.monotonic() - start_s < 5


def test_every_example_is_a_recording(identifier):
    for clip in app.EXAMPLE_CLIPS.values():
        assert identifier.identify(app.EXAMPLES / clip).duration_s > 5


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
    text = str(app.build(identifier).config)
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


@pytest.mark.slow
def test_app_py_serves_the_embedded_weights_while_the_hub_is_out_of_reach(tmp_path):
    """``python app.py`` as a Space runs it, with a Hub at a port where nobody listens."""
    port, closed_port = free_ports(2)
    environment = os.environ | {
        "LANGID_MODEL": "nobody/langid-five",
        "LANGID_REVISION": "v1",
        "HF_ENDPOINT": f"http://127.0.0.1:{closed_port}",
        "HF_HOME": str(tmp_path),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    log = tmp_path / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_served(url, process, log)
        text = page_text(url)
        assert "The weights “nobody/langid-five” could not be loaded" in text
        assert f"Weights: the {EMBEDDED_NAME}" in text
        assert "Serving the embedded weights instead of nobody/langid-five" in log.read_text()
        assert (
            predict(Client(url, verbose=False, analytics_enabled=False), FRENCH)[1]["duration_s"]
            > 5
        )
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until_served(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"app.py ended by itself:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(f"{url}/config", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"app.py did not serve within {START_TIMEOUT_S} s:\n{log.read_text()}")
