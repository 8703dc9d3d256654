"""What people should know of each kind of dataset: how it was made, and its known faults."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class CardText:
    """The part of a dataset's card that no count can tell, in Markdown."""

    title: str
    how_made: str
    metadata: dict = field(default_factory=dict)  # of the Hub's, where it is true of all rows


_STORED = """\
Recordings are decoded to mono at 16 kHz and stored as FLAC; what is mono at 16 kHz and compressed
already is stored as it came. Identical audio (by a hash of its samples) is stored once; of two
splits, in the one that is not for training."""

VOXFORGE = CardText(
    title="VoxForge for spoken language identification",
    how_made=f"""\
Volunteers read prompts aloud for [VoxForge](http://www.voxforge.org), each submission an archive
`user-date-xxx.tgz` of recordings (WAV or FLAC), the prompts and a README about the speaker. This
dataset was made from the archives under `<language>/Trunk/Audio/Main/` (English: also
`SpeechCorpus/`), in an order that takes many speakers before many recordings of one.

{_STORED} Recordings that are silent, clipped throughout, too short or damaged are left out; longer
ones are cut. Counts of all this are below.

The speaker is the user name before the date; an anonymous submission counts as a speaker of its
own. `gender`, `age_range`, `dialect` and `native_speaker` are what the README says, whose templates
differ by language and whose values are typed by hand: misspellings are mapped, and what cannot be
told is null. `transcript` is the prompt that the speaker was asked to read.""",
    metadata={
        "annotations_creators": ["crowdsourced"],
        "language_creators": ["crowdsourced"],
        "source_datasets": ["original"],
    },
)
FOLDER = CardText(
    title="Recordings for spoken language identification",
    how_made=f"""\
Made from a folder of recordings, whose language, speaker, source and licence stand in their path or
in its `metadata.csv`. {_STORED} Long recordings are cut.""",
)
MERGED = CardText(
    title="Speech from several sources for spoken language identification",
    how_made=f"""\
Several datasets joined: `source` tells them apart, and a speaker's name begins with the source.
{_STORED}""",
)
TRANSCRIBED = CardText(
    title="Transcribed speech for spoken language identification",
    how_made=f"""\
A dataset whose missing transcripts Whisper wrote, told the language of each clip. It left out what
it took for no speech, what repeats itself (a compression ratio over 2.4) and what it was not sure
of; nobody has read the rest. Noise, and languages that it does not know, are without.
{_STORED}""",
)

_FAULTS = {
    "voxforge": """\
VoxForge:

- A person can stand behind several anonymous submissions, or several user names, and so in two
  splits: speakers are told apart by name only. In English, 2,164 submissions are anonymous, beside
  1,235 named speakers.
- Men speak far more often than women: in English, 78,424 files are by men and 12,902 by women. A
  model can learn gender, or a microphone, in place of a language.
- A speaker has from one to several thousand recordings.
- Transcripts are prompts: nobody checked that they were read as they stand.
- Some submissions are nearly silent: 12 of the Italian ones have an RMS under 0.025. They are in.
- One speaker of the Italian part (`Vistaus-20080718-mrm`) does not speak Italian and is left out.
- It is all read speech from one project. A model trained on one corpus does much worse on another:
  equal-error rates of 11.8 % become 43.3 % ([arXiv 2105.04639](https://arxiv.org/abs/2105.04639)).""",
}


def known_faults(sources: list[str]) -> str | None:
    """The faults of the sources, as far as they are known."""
    texts = [_FAULTS[source] for source in sources if source in _FAULTS]
    return "\n\n".join(texts) or None
