"""The words of the page: one JSON file a language, with the same keys and placeholders in each.

The first part of a key says who writes the text: ``page`` the layout (through `gr.I18n`, see
`langid.space.layout_texts`), ``script`` the page's own script, ``audio`` and ``warning`` the
package, in English, all others the server. An asterisk on either side marks what is set in bold.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from langid.audio.duration import describe_duration
from langid.errors import Message
from langid.languages import NONE, OTHER, language_name

PAGE_LANGUAGES = ("en", "de", "fr", "es", "it")
FOLDER = Path(__file__).parent
LEAST_SHARE = 0.01  # smaller ones are called so


class Texts:
    """The texts of one language, and how that writes names, lists and numbers."""

    def __init__(self, language: str) -> None:
        self.language = language
        path = FOLDER / f"{language}.json"
        content = path.read_text(encoding="utf-8")
        # No line ends between a number, or the placeholder of one, and its sign of percent.
        self.by_key: dict[str, str] = json.loads(re.sub(r"(?<=[\d}]) (?=%)", "\u00a0", content))
        decimal, thousands = self.by_key["number.decimal"], self.by_key["number.thousands"]
        self._separators = str.maketrans({".": decimal, ",": thousands})

    def __call__(self, key: str, **values: object) -> str:
        """The text with its placeholders filled, and numbers among the values written its way."""
        return self._fill(self.by_key[key], values)

    def name(self, label: str) -> str:
        """A label by itself: ``"French"``, ``"Français"``, ``"No speech"``."""
        if label in (NONE, OTHER):
            return self(f"name.{label}")
        name = language_name(label, self.language)
        return name[:1].upper() + name[1:]

    def phrase(self, label: str) -> str:
        """A label within a sentence: ``"French"``, ``"français"``, ``"no speech"``."""
        return (
            self(f"phrase.{label}")
            if label in (NONE, OTHER)
            else language_name(label, self.language)
        )

    def join(self, labels: Sequence[str]) -> str:
        """``"English, French and no speech"``."""
        *first, last = [self.phrase(label) for label in labels]
        if not first:
            return last
        key = "list.and_before_i" if last.startswith("i") else "list.and"
        return self(key, first=", ".join(first), last=last)

    def share(self, share: float) -> str:
        r"""``0.643`` → ``"64\u00a0%"``."""
        return self("number.percent", n=f"{100 * share:.0f}")

    def probability(self, share: float) -> str:
        """The same, but certainty and impossibility are not claimed: ``"over 99 %"``."""
        if 0.995 <= share < 1:
            return self("number.over_99")
        return self("number.under_1") if 0 < share < LEAST_SHARE else self.share(share)

    def count(self, n: int) -> str:
        """A number of answers, as a word if it is small."""
        words = self("number.counts").split()
        return words[n] if n < len(words) else self.number(n)

    def number(self, n: int) -> str:
        """``12345`` → ``"12,345"``."""
        return self._fill("{n:,}", {"n": n})

    def duration(self, seconds: float) -> str:
        """``"8.2 s"``, ``"3 min 20 s"``: the units are the same everywhere."""
        return self._fill("{duration}", {"duration": describe_duration(seconds)})

    def time_left(self, seconds: float) -> str:
        """A guess at a duration, in whole seconds, of which there is at least one."""
        return describe_duration(max(1.0, round(seconds))).replace(".0 s", " s")

    def translate(self, sentence: str) -> tuple[str, str]:
        """A sentence that the English texts hold, and the language it is in now.

        Of a `Message` they hold the template. Any other sentence stays English.
        """
        template, values = sentence, {}
        if isinstance(sentence, Message):
            template, values = sentence.template, sentence.values
        for key, text in ENGLISH.by_key.items():
            if text == template:
                return self._fill(self.by_key[key], values), self.language
        return str(sentence), ENGLISH.language

    def _fill(self, template: str, values: Mapping[str, object]) -> str:
        return template.format(**{name: self._written(value) for name, value in values.items()})

    def _written(self, value: object) -> object:
        if isinstance(value, Message):  # a number with its unit, which is the same everywhere
            return self._fill(value.template, value.values)
        return _Number(value, self._separators) if isinstance(value, int | float) else value


class _Number(NamedTuple):
    """Formats as a number does, with the decimal and thousands separators of a language."""

    value: float
    separators: dict[int, str]

    def __format__(self, format_spec: str) -> str:
        return format(self.value, format_spec).translate(self.separators)


def texts_in(language: str | None) -> Texts:
    """The texts in a language of the page, in English for any other (``"de-AT"`` is German)."""
    code = (language or "").split("-")[0].lower()
    return _texts(code if code in PAGE_LANGUAGES else "en")


@cache
def _texts(code: str) -> Texts:
    return Texts(code)


ENGLISH = texts_in("en")
