"""Messages: sentences that remember what they were made from."""

import copy
import json
import pickle

import pytest

from langid import AudioError
from langid.audio import load_audio
from langid.errors import Message

NESTED = Message("{name} lasts {length}.", name="'{0}%s.wav'", length=Message("{s:.1f} s", s=0.25))


@pytest.mark.parametrize(
    "remake", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]
)
def test_a_message_is_its_sentence_and_keeps_template_and_values(remake):
    message = remake(NESTED)
    assert message == "'{0}%s.wav' lasts 0.2 s." == str(message)
    assert json.dumps([message]) == "[\"'{0}%s.wav' lasts 0.2 s.\"]"
    assert (message.template, message.values) == (NESTED.template, NESTED.values)
    assert message.values["length"].values == {"s": 0.25}


def test_an_error_brings_its_message_from_another_process(tmp_path):
    path = tmp_path / "{notes}.wav"
    path.write_text("This is no sound at all.\n" * 20)
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value) == error.args[0]
    assert str(error).startswith("'{notes}.wav' is not audio: give a recording as WAV,")
    assert error.args[0].values == {"name": "'{notes}.wav'"}
