"""The endpoint /predict, through the real Gradio client and through bare HTTP."""

import errno
import os
import time
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from helpers.app import FILE_META, FRENCH, call, post, predict, upload
from helpers.audio import two_tracks

import app
from langid.languages import language_name
from langid.page.disk import DISK_FULL
from langid.space.handlers import GONE

ROOT = Path(app.__file__).parent


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
