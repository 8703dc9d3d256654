"""Licences: what the Hub calls them, and their full names."""

import re
from collections import defaultdict
from collections.abc import Iterable

from langid.hub.markdown import few

UNSTATED = "unstated"  # how a missing licence is shown, and what filters call it
# Hub id → full name; from https://huggingface.co/docs/hub/repositories-licenses, those that
# recordings of speech come under.
_NAMES = {
    "apache-2.0": "Apache License 2.0",
    "mit": "MIT License",
    "cc0-1.0": "Creative Commons Zero 1.0 Universal (public domain dedication)",
    "cc-by-2.0": "Creative Commons Attribution 2.0",
    "cc-by-3.0": "Creative Commons Attribution 3.0",
    "cc-by-4.0": "Creative Commons Attribution 4.0",
    "cc-by-sa-3.0": "Creative Commons Attribution Share Alike 3.0",
    "cc-by-sa-4.0": "Creative Commons Attribution Share Alike 4.0",
    "cc-by-nc-3.0": "Creative Commons Attribution Non Commercial 3.0",
    "cc-by-nc-4.0": "Creative Commons Attribution Non Commercial 4.0",
    "cc-by-nd-4.0": "Creative Commons Attribution No Derivatives 4.0",
    "cc-by-nc-nd-4.0": "Creative Commons Attribution Non Commercial No Derivatives 4.0",
    "cc-by-nc-sa-4.0": "Creative Commons Attribution Non Commercial Share Alike 4.0",
    "agpl-3.0": "GNU Affero General Public License, version 3",
    "gpl-2.0": "GNU General Public License, version 2",
    "gpl-3.0": "GNU General Public License, version 3",
    "lgpl-2.1": "GNU Lesser General Public License, version 2.1",
    "lgpl-3.0": "GNU Lesser General Public License, version 3",
    "pddl": "Open Data Commons Public Domain Dedication and License",
}
_LATER = "-or-later"
RESTRICTED = "restricted"  # what filters call every licence with `restrictions`
# What a licence asks for beyond naming the author → how licences that do are recognised. Corpora
# write theirs freely ("CC-BY / CC-BY-NC per story"), so words are looked for.
_RESTRICTIONS = {
    "no licence is stated": r"^$|^(un(stated|known|specified|licen[cs]ed)|none|n/a)\b"
    r"|^no(t| \w+)? (stated|given|specified|known)\b|^no (\w+ )?licen[cs]e|\bunclear\b",
    "non-commercial use only": r"\bnc\b|\bno(n|t for)?[- ]?commercial",
    "copyleft or share-alike": r"gpl|general public licen|copyleft|\bsa\b|share[- ]?alike|odbl",
    "no derivatives": r"\bnd\b|no[- ]?deriv",
    "for research or teaching only": r"research|academic|teaching|educat",
}
_PERMISSIVE = (
    r"\bcc[- ]?(0|zero|by)(?![a-z])|\b(cc|creative commons)[- ](attribution|zero)\b"
    r"|^attribution \d|creativecommons\.org/(licenses/by/|publicdomain/)|public domain"
    # Not the German word, as in "nur mit Genehmigung".
    r"|\bmit\b(?! \w)|\bmit licen|apache|\bbsd\b|\bunlicense\b|pddl|odc-by|^free$|^synthetic$"
)


def hub_licence(licence: str) -> str | None:
    """The Hub's id: ``"GPL-3.0-or-later"`` → ``"gpl-3.0"``; None where it has none."""
    key = "-".join(licence.lower().split()).removesuffix(_LATER).removesuffix("-only")
    return key if key in _NAMES else None


def full_name(licence: str) -> str:
    """The licence in full words, or as it stands where it is none of the known ones."""
    key = hub_licence(licence)
    if key is None:
        return licence
    later = licence.lower().endswith(_LATER)
    return _NAMES[key] + (" or (at your option) any later version" if later else "")


def card_licence(licences: Iterable[str]) -> str | list[str]:
    """What a card's ``license`` says of rows under these licences.

    The Hub's ids where it has one for each; ``"unknown"`` where none is stated; else ``"other"``.
    """
    licences = set(licences)
    if licences == {UNSTATED}:
        return "unknown"
    ids = {hub_licence(licence) for licence in licences}
    if None in ids:
        return "other"
    return sorted(ids) if len(ids) > 1 else ids.pop()


def restrictions(licence: str) -> list[str]:
    """What a licence asks for beyond naming the author, in words; empty if nothing more.

    Remarks in brackets may ask for more but not allow more: ``"free (EMO-DB)"`` is free. What a
    synthesis engine is under does not bind its speech.
    """
    text = re.sub(r"\([^)]*\bengine\)", "", licence.lower().replace("_", "-")).strip()
    found = [words for words, pattern in _RESTRICTIONS.items() if re.search(pattern, text)]
    allowed = re.search(_PERMISSIVE, re.sub(r"\(.*?(\)|$)", "", text).strip())
    return found or ([] if allowed else ["terms of its own"])


def restriction_lines(held: Iterable[tuple[str, str, float]]) -> list[str]:
    """Of (source, licence, hours): what is asked for beyond naming the author, with the hours and
    sources it holds for, as the items of a Markdown list; the most hours first."""
    hours: dict[str, float] = defaultdict(float)
    sources: dict[str, dict[str, None]] = defaultdict(dict)
    for source, licence, n_hours in held:
        for restriction in restrictions(licence):
            hours[restriction] += n_hours
            sources[restriction][source] = None
    return [
        f"- {restriction}: {hours[restriction]:.1f} h ({few(list(sources[restriction]))})"
        for restriction in sorted(hours, key=lambda restriction: -hours[restriction])
    ]
