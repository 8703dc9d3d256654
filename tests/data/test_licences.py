"""Licences as the Hub and as people call them."""

import pytest

from langid.data.licences import card_licence, full_name, hub_licence, restrictions


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
        *((name, []) for name in ("CC0-1.0", "CC-BY-4.0", "public domain", "MIT", "Apache-2.0")),
        ("free (EMO-DB)", []),
        ("synthetic (espeak-ng, GPL-3.0 engine)", []),
        ("CC0-1.0 (upstream Common Voice)", []),
        ("GPL-3.0-or-later", ["copyleft or share-alike"]),
        ("CC0 / CC-BY / CC-BY-SA", ["copyleft or share-alike"]),
        ("CC-BY / CC-BY-NC per story", ["non-commercial use only"]),
        ("CC-BY-NC-SA (Forvo)", ["non-commercial use only", "copyleft or share-alike"]),
        ("CC-BY-NC-ND-4.0", ["non-commercial use only", "no derivatives"]),
        ("free for research (EMOVO)", ["for research or teaching only"]),
        ("unstated", ["no licence is stated"]),
        ("ask my aunt", ["terms of its own"]),
    ],
)
def test_what_a_licence_asks_for_beyond_the_name(licence, found):
    assert restrictions(licence) == found
