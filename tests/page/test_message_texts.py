"""Every sentence of the package that a visitor may meet is in the texts of all languages."""

import ast
import functools
import importlib
import re
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.identifier import identification

from langid import errors
from langid.audio import load_audio
from langid.audio.duration import too_long
from langid.errors import AudioError, Message
from langid.identification import summarise
from langid.page.answer import answer_html
from langid.page.batch import Row, table_html
from langid.page.jobs import Step
from langid.page.texts import ENGLISH, PAGE_LANGUAGES, texts_in
from langid.page.waveform import PeakMeter

ROOT = Path(errors.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
# What only callers in Python and clients of the API can cause, who are told in English: the page
# has no arrays, no file objects, no paths, no addresses, and no choice of a track.
CALLERS_ONLY = {
    "audio/__init__.py": {"__init__", "_out_of_scale"},
    "audio/arrays.py": {"checked_rate", "time_first"},
    "audio/ffmpeg.py": {"check_track"},
    "audio/sources.py": {"open_source", "_open_path", "_as_source", "_spool"},
    "space/recordings.py": {"fetch_recording", "download", "_download", "_decode"},
}
MARKS = {"audio", "warning"}  # of their keys
UNITS = {"h", "min", "s"}  # the same in all languages


def kinds(cls: type) -> set[str]:
    return {cls.__name__}.union(*map(kinds, cls.__subclasses__()))


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


@functools.cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """File, innermost function and call, of all calls in the package."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.Call):
            yield function, node
        for child in ast.iter_child_nodes(node):
            yield from walk(child, function)

    return [
        (path.relative_to(ROOT).as_posix(), function, call)
        for path in FILES
        for function, call in walk(ast.parse(path.read_text(encoding="utf-8")), "")
    ]


def messages() -> dict[str, list[str]]:
    """Templates of all messages, with the names of their values."""
    made = [call for _, _, call in calls() if name_of(call) == "Message"]
    for call in made:  # not put together at run time: it could not be looked up
        assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
    found = {call.args[0].value: sorted(word.arg for word in call.keywords) for call in made}
    return {
        template: names
        for template, names in found.items()
        if not set(re.sub(r"{.*?}", "", template).split()) <= UNITS
    }


def fields(template: str) -> list[tuple[str, str]]:
    return sorted((name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name)


def test_the_page_has_a_text_for_every_message_and_none_for_others():
    held = [text for key, text in ENGLISH.by_key.items() if key.split(".")[0] in MARKS]
    assert sorted(held) == sorted(messages())
    assert len(held) > 25
    for template, names in messages().items():
        assert [name for name, _ in fields(template)] == names, template


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_every_language_writes_the_same_numbers_with_the_same_precision(language):
    for key, text in texts_in(language).by_key.items():
        assert fields(text) == fields(ENGLISH.by_key[key]), key


def test_whoever_sees_the_page_meets_no_audio_error_without_a_message():
    for path in FILES:  # so that all subclasses are known
        if "AudioError" in path.read_text(encoding="utf-8") and path.name != "__main__.py":
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
    plain = {
        (file, function)
        for file, function, call in calls()
        if name_of(call) in kinds(AudioError) or name_of(call) in ("warn", "warn_incomplete")
        for made in [call.args[0]]
        if not isinstance(made, ast.Call) or name_of(made) not in ("Message", *message_makers())
        if (file, function) != ("audio/info.py", "warn_incomplete")  # hands it on
    }
    assert plain == {(file, name) for file, names in CALLERS_ONLY.items() for name in names}


def message_makers() -> set[str]:
    """Functions of the package that return a message."""
    return {
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        if node.returns is not None and ast.unparse(node.returns) == "Message"
    }


def say(message: str, language: str) -> str:
    said, spoken = texts_in(language).translate(message)
    assert spoken == language
    return said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "'a.wav' lasts 0.18 s: at least 0.3 s are needed, and several seconds are better."),
        ("de", "'a.wav' dauert 0,18_s: Mindestens 0,3_s sind nötig, mehrere Sekunden sind besser."),
        ("fr", "'a.wav' dure 0,18_s_: il faut au moins 0,3_s, et plusieurs secondes valent mieux."),
        ("es", "'a.wav' dura 0,18_s: hacen falta al menos 0,3_s, y mejor varios segundos."),
        ("it", "'a.wav' dura 0,18_s: servono almeno 0,3_s, meglio diversi secondi."),
    ],
)
def test_an_error_is_said_in_the_language_and_with_its_numbers(language, said, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(2880, 0.1), 16_000)
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    assert say(caught.value.args[0], language) == said.replace("_", "\u00a0")
    assert str(caught.value) == say(caught.value.args[0], "en")


def test_durations_within_a_sentence_and_large_numbers_are_written_so_too():
    assert "länger als 1,5 h, und" in say(too_long(5400).args[0], "de")
    repaired = next(each for each in messages() if "samples that are no numbers" in each)
    message = Message(repaired, name="'{n}.wav'", n=12, n_samples=1234567)
    assert "'{n}.wav' has 12 of 1,234,567 samples" in say(message, "en")
    assert "'{n}.wav' hat" in say(message, "de") and "(12 von 1.234.567)" in say(message, "de")
    assert "(12 sur 1\u202f234\u202f567)" in say(message, "fr")


def test_warnings_of_an_answer_are_messages_too():
    labels, kept = ("en", "fr", "none"), np.array([True, True, False])
    rows, bounds = np.array([[0.1, 0.1, 0.8]] * 2), [(0.0, 4.0), (2.0, 6.0)]
    for active_s, german in ((0.04, "Nichts in dieser Aufnahme"), (0.5, "Nur 0,5\u00a0s dieser")):
        answer = summarise(labels, kept, rows, bounds, (6.0, active_s), [])
        no_speech, little = (say(warning, "de") for warning in answer.warnings)
        assert no_speech.startswith("Hier scheint niemand zu sprechen: ")
        assert little.startswith(german)


def test_only_what_is_english_is_marked_as_english():
    known = Message("{name} is damaged: what could not be decoded is left out.", name="'<i>.wav'")
    said = "⚠ &#x27;&lt;i&gt;.wav&#x27; est endommagé\u00a0: ce qui n’a"
    for warning, language, words in ((known, "fr", said), ("Unforeseen.", "en", "⚠ Unforeseen.")):
        answer = identification((0.9, 0.1, 0.0, 0.0), warnings=(warning,))
        html = answer_html(answer, Step(answer, PeakMeter(), 1.0), texts=texts_in("fr"))
        assert f'<p class="note" lang="{language}">{words}' in html
        table = table_html([Row("a.wav", answer)], texts=texts_in("fr"))
        assert f'<td class="note"><span lang="{language}">{words}' in table
        failed = table_html([Row("a.wav", error=warning)], texts=texts_in("fr"))
        assert f' class="note" lang="{language}">{words[2:]}' in failed
