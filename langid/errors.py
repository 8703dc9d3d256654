"""The errors that callers of this package meet: each message is one sentence for people, which
says what is wrong and what to do."""


class Message(str):
    """A sentence for people, in English, which keeps what it was made from.

    So the page can say it in another language: its texts hold ``template`` in all of them, with the
    same placeholders for the ``values``. One of these may be a message too, and brings its own
    numbers along.

    >>> Message("{name} is empty: record it again.", name="'a.wav'")
    "'a.wav' is empty: record it again."
    """

    def __new__(cls, template: str, **values: object) -> "Message":
        message = super().__new__(cls, template.format(**values))
        message.template, message.values = template, values
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:  # for copies and pickles
        return (self.template,), self.values


class LangidError(ValueError):
    """Input that cannot be used, of whatever kind."""


class AudioError(LangidError):
    """Audio that cannot be identified.

    Its only argument is a `Message` wherever a visitor of the page may meet it.
    """


class WeightsError(LangidError):
    """Weights that cannot be had, or do not fit their configuration or this package."""


class DeviceError(LangidError):
    """A torch device that is not there, or that torch cannot compute on."""


class DataError(LangidError):
    """Recordings or a dataset that cannot be prepared, evaluated or trained on."""


class IdentificationCancelled(Exception):
    """``should_stop`` ended an identification: no fault of the input, so not a `LangidError`."""


class PublishError(LangidError):
    """A run, a dataset or the Space that the Hub did not take; what is on disk is untouched."""


class TeacherError(LangidError):
    """A Whisper model that cannot be had, to learn from or to be compared with."""
