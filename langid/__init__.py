"""langid: which language is spoken in a recording.

>>> from langid import LanguageIdentifier
>>> LanguageIdentifier.from_pretrained().identify("examples/french.flac").language
'fr'
"""

from importlib import import_module

from langid.version import VERSION as __version__

# Imported at first use (PEP 562): torch takes seconds, and half of the package needs none.
_HOMES = {
    "AudioError": "langid.errors",
    "DeviceError": "langid.errors",
    "Identification": "langid.identification",
    "IdentificationCancelled": "langid.errors",
    "LanguageIdentifier": "langid.identifier",
    "WeightsError": "langid.errors",
}
__all__ = [
    "AudioError",
    "DeviceError",
    "Identification",
    "IdentificationCancelled",
    "LanguageIdentifier",
    "WeightsError",
    "__version__",
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
