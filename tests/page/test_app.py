"""What app.py serves: which weights, and what the page says of them."""

import json
import logging
import shutil
import urllib.error
import urllib.request

import pytest
from helpers.app import served

import app
from langid import LanguageIdentifier, WeightsError
from langid.checkpoint import EMBEDDED, EMBEDDED_NAME
from langid.config import ModelConfig
from langid.model import LanguageCNN


def page_text(url: str) -> str:
    """Everything that the page is built from."""
    with urllib.request.urlopen(f"{url.rstrip('/')}/config", timeout=30) as response:
        return json.dumps(json.load(response), ensure_ascii=False)


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
