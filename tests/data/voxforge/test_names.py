"""What the name of an archive says: its stem, its speaker, and who is excluded."""

import pytest

from langid.data.voxforge.archive import archive_stem, exclusion_reason, speaker_of


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Foo-20080318-kdl.tgz", "Foo-20080318-kdl"),
        ("Foo-20080318-kdl.TGZ", "Foo-20080318-kdl"),
        ("v1.5-20080318.tar.gz", "v1.5-20080318"),
        ("Foo-20080318-kdl.tar", "Foo-20080318-kdl"),
        ("Foo", "Foo"),
    ],
)
def test_the_stem_is_the_name_without_suffix(name, stem):
    assert archive_stem(name) == stem


@pytest.mark.parametrize(
    ("stem", "speaker"),
    [
        ("Foo-20080318-kdl", "foo"),
        ("Foo-2008031801-kdl", "foo"),
        ("Foo-20080318", "foo"),
        ("Foo_20080318_kdl", "foo"),
        ("john_doe-20160503-gaj", "john_doe"),
        ("1337ad-20170321-czb", "1337ad"),
        ("ralfherzog-20071220-de34", "ralfherzog"),
        ("Jean-Luc-20080318-kdl", "jean"),
        ("DE-anna-20180318-abc[1234567890]", "anna"),
        ("JD-20080318-kdl", "jd"),
        ("anonymous_fox-20080318-kdl", "anonymous_fox"),
        ("STRASSE-20080318-a", "strasse"),
        ("straße-20080318-a", "strasse"),
    ],
)
def test_the_speaker_is_the_user(stem, speaker):
    assert speaker_of(stem) == f"voxforge:{speaker}"


@pytest.mark.parametrize(
    "user",
    ["anonymous", "Anonymous", "ANONYMOUS", "anonymous_", "anonyme", "Anonym", "anonimo", "anónimo",
     "ano\u0301nimo", "anonymus", "unknown", "", "DE-anonymous"],
)  # fmt: skip
def test_each_anonymous_submission_is_a_speaker_of_its_own(user):
    one, other = (speaker_of(f"{user}-20080318-{part}") for part in ("kdl", "kdm"))
    assert one != other
    assert one.endswith("-20080318-kdl")


def test_a_user_is_one_speaker_in_any_writing_and_language():
    assert speaker_of("Vistaus-20080718-mrm") == speaker_of("vistaus-20090101-aaa")
    assert speaker_of("ano\u0301nimo-20080318-a") == speaker_of("anónimo-20080318-a")


def test_who_does_not_speak_the_language_is_excluded_from_it_only():
    speaker = speaker_of("Vistaus-20080718-mrm")
    assert exclusion_reason("it", speaker) == "speaker does not speak the language"
    assert exclusion_reason("nl", speaker) is None
    assert exclusion_reason("it", speaker_of("luigi-20080718-mrm")) is None
