"""Licences as the Hub and as people call them."""

import re
from pathlib import Path

import pytest

from langid.data.clips import Clip
from langid.data.folder import filter_clips
from langid.data.licences import card_licence, full_name, hub_licence, restrictions
from langid.data.speak import LICENCE, MBROLA_LICENCE
from langid.data.utterance import ReasonCounts

README = Path(__file__).parents[2] / "README.md"
FREE = (
    *("CC0-1.0", "CC-0", "CC0 1.0", "CC Zero", "CC-BY-4.0", "CC BY 4.0", "cc_by_4.0", "CC-BY3.0"),
    *("CC BY 4.0 (OpenSLR-101)", "LibriSpeech CC BY 4.0 (repo Apache-2.0)", "CC-BY / CC0"),
    *("Creative Commons Attribution 4.0", "Attribution 4.0 International", "CC Attribution 3.0"),
    *("https://creativecommons.org/licenses/by/4.0/", "public domain", "Public Domain (LibriVox)"),
    *("MIT", "MIT License", "MIT (repo LICENSE.txt", "Apache-2.0", "BSD-3-Clause", "Unlicense"),
    *("free (EMO-DB)", "CC0-1.0 (upstream Common Voice)", LICENCE),
)
UNSTATED = (
    *("unstated", "none stated", "None", "not stated", "unlicensed", "unknown", "n/a", ""),
    *("no licence (YouTube cuts)", "No license given", "none stated (commercial app source"),
    *("not specified", "no formal licence", "Apache-2.0 repo, audio licence unclear"),
)
NON_COMMERCIAL = (
    *("CC-BY / CC-BY-NC per story", "CC BY NC 4.0", "cc_by_nc_4.0", "free, non commercial use"),
    *("https://creativecommons.org/licenses/by-nc/4.0/", "Attribution-NonCommercial 4.0"),
    *("Creative Commons Attribution Non Commercial 4.0", "not for commercial use", MBROLA_LICENCE),
    "CC-BY-4.0 (non-commercial)",
)
COPYLEFT = (
    *("GPL-3.0", "GPL-3.0-or-later", "GPL v2", "LGPL-2.1", "GNU General Public License, version 3"),
    *("CC0 / CC-BY / CC-BY-SA", "CC BY-SA 4.0", "Creative Commons Attribution-ShareAlike 4.0"),
    "Apache-2.0; voices (CC-BY-SA per file)",
)
RESEARCH = ("free for research (EMOVO)", "free for language teaching", "Academic use only")
OWN = ("ask my aunt", "all rights reserved", "LDC User Agreement", "nur mit Genehmigung")


def test_licences_have_the_ids_of_the_hub():
    assert hub_licence("GPL-3.0-or-later") == hub_licence("GPL-3.0") == "gpl-3.0"
    assert hub_licence("CC-BY 4.0") == "cc-by-4.0"
    assert hub_licence("free for research (EMOVO)") is None
    assert full_name("free for research (EMOVO)") == "free for research (EMOVO)"
    assert full_name("MIT") == "MIT License"
    assert card_licence(["GPL-3.0", "GPL-3.0-or-later"]) == "gpl-3.0"
    assert card_licence(["MIT", "CC0-1.0"]) == ["cc0-1.0", "mit"]
    assert card_licence(["unstated"]) == "unknown"
    assert card_licence(["unstated", "MIT"]) == "other"


@pytest.mark.parametrize(
    ("licence", "found"),
    [
        *((name, []) for name in FREE),
        *((name, ["no licence is stated"]) for name in UNSTATED),
        *((name, ["non-commercial use only"]) for name in NON_COMMERCIAL),
        *((name, ["copyleft or share-alike"]) for name in COPYLEFT),
        *((name, ["for research or teaching only"]) for name in RESEARCH),
        *((name, ["terms of its own"]) for name in OWN),
        ("CC-BY-NC-SA (Forvo)", ["non-commercial use only", "copyleft or share-alike"]),
        ("CC-BY-NC-ND-4.0", ["non-commercial use only", "no derivatives"]),
        ("CC BY-ND 4.0", ["no derivatives"]),
    ],
)
def test_what_a_licence_asks_for_beyond_the_name(licence, found):
    assert restrictions(licence) == found


def test_nothing_with_restrictions_passes_the_filter_of_readme():
    (pattern,) = re.findall(r"--exclude-licences '?([^'`\s]+)", README.read_text(encoding="utf-8"))
    asking = (*UNSTATED, *NON_COMMERCIAL, *COPYLEFT, *RESEARCH, *OWN, "CC BY-ND 4.0")
    clips = [Clip(Path(x), x, "fr", "", "", licence=x) for x in (*FREE, *asking)]
    kept = filter_clips(clips, ReasonCounts(), exclude_licences=tuple(pattern.split(",")))
    assert [clip.file_name for clip in kept] == list(FREE)
    kept = filter_clips(clips, ReasonCounts(), exclude_licences=("RESTRICTED", "mit*"))
    assert [clip.file_name for clip in kept] == [x for x in FREE if not x.startswith("MIT")]
