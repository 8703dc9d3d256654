"""What is known of the sources of datasets."""

from langid.data.card_texts import known_faults


def test_only_known_sources_have_known_faults():
    assert known_faults(["mine"]) is None
    assert known_faults(["mine", "voxforge"]).startswith("VoxForge:")
