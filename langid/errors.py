"""The errors that callers of this package meet: each message is one sentence for people, which
says what is wrong and what to do."""


class LangidError(ValueError):
    """Input that cannot be used, of whatever kind."""


class AudioError(LangidError):
    """Audio that cannot be identified."""


class WeightsError(LangidError):
    """Weights that cannot be had, or do not fit their configuration or this package."""


class DataError(LangidError):
    """Recordings or a dataset that cannot be prepared, evaluated or trained on."""


class IdentificationCancelled(Exception):
    """``should_stop`` ended an identification: no fault of the input, so not a `LangidError`."""


class PublishError(LangidError):
    """A run, a dataset or the Space that the Hub did not take; what is on disk is untouched."""


class TeacherError(LangidError):
    """A Whisper model that cannot be had, to learn from or to be compared with."""
