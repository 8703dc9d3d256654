"""The card of a dataset: what it holds, where that came from, how to load it, where it is weak."""

import json
import shlex
from pathlib import Path

from datasets import DatasetInfo, Features, SplitDict, SplitInfo
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCard, DatasetCardData

from langid.data.card_texts import CardText, known_faults
from langid.data.counts import UNKNOWN, Amount, Counts, count_dataset
from langid.data.licences import UNSTATED, card_licence, full_name, restriction_lines
from langid.data.store import shards_of
from langid.data.utterance import ReasonCounts
from langid.hub.markdown import TEMPLATES, few, percent, table
from langid.hub.publish import CARD_FILE
from langid.languages import DEFAULT_LANGUAGES, NONE, class_of, is_language, language_name
from langid.version import VERSION

COLUMN_MEANINGS = {
    "audio": "bytes of a FLAC file, or of the compressed original; mono, 16 kHz",
    "language": "what is spoken: a class label, see `features['language'].names`",
    "speaker_id": "`<source>:<name>`; the same for one speaker of two languages",
    "source": "corpus or collection that the recording is from",
    "archive": "submission that it came in",
    "utterance_id": "name within the archive",
    "transcript": "what the speaker was asked to read, or what `transcript_source` heard",
    "transcript_source": "the model that wrote the transcript; null: it came with the recording",
    "transcript_confidence": "that model's mean probability of a token, 0 to 1",
    "gender": "`female`, `male` or `other`, as the speaker said",
    "age_range": "`youth`, `adult` or `senior`, as the speaker said",
    "dialect": "as the speaker put it",
    "native_speaker": "whether the speaker said so",
    "duration_s": "seconds",
    "licence": "of this recording",
    "synthetic": "whether a machine speaks",
    "audio_digest": "hash of the samples in 16 bits: equal for identical audio",
}


def write_card(
    folder: Path, excluded: ReasonCounts, changes: ReasonCounts, *, text: CardText, repo_id: str
) -> None:
    """Write README.md into the folder of a dataset whose Parquet files are complete.

    ``repo_id`` as for `make_dataset_card`.

    Raises
    ------
    DataError
        If they cannot be read.
    """
    card = make_dataset_card(count_dataset(folder), text, excluded, changes, repo_id)
    card.save(folder / CARD_FILE)


def make_dataset_card(
    counts: Counts, text: CardText, excluded: ReasonCounts, changes: ReasonCounts, repo_id: str
) -> DatasetCard:
    """The card, with front matter by which the Hub and ``load_dataset`` find the splits.

    ``repo_id`` is what its commands load: the repository, or the folder of a dataset without one.
    """
    spoken = _spoken(counts)
    return DatasetCard.from_template(
        _metadata(counts, spoken, text),
        str(TEMPLATES / "dataset_card.md"),
        title=text.title,
        total=counts.total(),
        languages=few([language_name(code) for code in spoken], 12),
        version=VERSION,
        n_file_bytes=counts.n_file_bytes,
        python_name=json.dumps(repo_id, ensure_ascii=False),
        shell_name=shlex.quote(repo_id),
        train_options=_train_options(counts),
        by_language=_by_language(counts),
        transcript_note=_transcript_note(counts.total()),
        gender_known=set(counts.values("gender")) != {UNKNOWN},
        by_gender=_by_gender(counts),
        by_source=_by_source(counts),
        licence_note=_licence_note(counts),
        how_made=text.how_made,
        left_out=_counted(excluded),
        changed=_counted(changes),
        faults=known_faults(counts.values("source")),
        columns=_columns(counts.features),
    )


def _metadata(counts: Counts, spoken: list[str], text: CardText) -> DatasetCardData:
    total = counts.total()
    codes = sorted({code.partition("-")[0] for code in spoken})
    licence = card_licence(counts.values("licence"))
    tasks = ["audio-classification"]
    if total.n_transcripts:
        tasks.append("automatic-speech-recognition")
    more = text.metadata
    if licence == "other":
        more = {**more, "license_name": "by-recording"}
    data = DatasetCardData(
        language=codes,
        license=licence,
        task_categories=tasks,
        size_categories=[_size_category(total.n_clips)],
        multilinguality=["multilingual" if len(codes) > 1 else "monolingual"],
        pretty_name=text.title,
        tags=["language-identification", "speech"],
        configs=[
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": shards_of(split)} for split in counts.splits
                ],
            }
        ],
        **more,
    )
    splits = SplitDict()
    for split in counts.splits:
        n_clips = counts.total(split=split).n_clips
        splits.add(SplitInfo(split, num_bytes=counts.n_bytes[split], num_examples=n_clips))
    info = DatasetInfo(
        features=counts.features,
        splits=splits,
        download_size=counts.n_file_bytes,
        dataset_size=sum(counts.n_bytes.values()),
    )
    DatasetInfosDict(default=info).to_dataset_card_data(data)
    return data


def _size_category(n_clips: int) -> str:
    """The Hub's order of magnitude: 1234 → ``"1K<n<10K"``."""
    if n_clips < 1000:
        return "n<1K"
    for low, high, limit in (("1K", "10K", 10**4), ("10K", "100K", 10**5), ("100K", "1M", 10**6)):
        if n_clips < limit:
            return f"{low}<n<{high}"
    return "1M<n<10M"


def _spoken(counts: Counts) -> list[str]:
    """The languages, without the labels that mean noise."""
    return [code for code in counts.languages if class_of(code, ()) != NONE]


def _train_options(counts: Counts) -> str:
    """Nothing where train.py's own languages will do: it refuses one that is not there."""
    there = [language for split, language in counts.values("split", "language") if split == "train"]
    if set(DEFAULT_LANGUAGES) <= set(there):
        return ""
    return f" --languages {','.join(sorted(filter(is_language, set(there))))}"


def _amount(amount: Amount) -> list[str]:
    return [f"{amount.n_clips:,}", f"{len(amount.speakers):,}", f"{amount.duration_s / 3600:,.2f}"]


def _by_language(counts: Counts) -> str:
    header = ["language"]
    for split in counts.splits:
        header += [f"{split}: clips", "speakers", "hours"]
    rows = []
    for language in [*counts.languages, None]:
        wanted = {"language": language} if language else {}
        row = [f"{language_name(language)} (`{language}`)" if language else "**all**"]
        for split in counts.splits:
            row += _amount(counts.total(split=split, **wanted))
        total = counts.total(**wanted)
        rows.append([*row, percent(total.n_transcripts / total.n_clips)])
    return table([*header, "with transcript"], rows)


def _transcript_note(total: Amount) -> str:
    """How many transcripts a machine wrote, and which; nothing where all came with the audio."""
    if not total.n_by_model:
        return ""
    models = few([f"{n:,} by {model}" for model, n in total.n_by_model.most_common()])
    return (
        f"Of {total.n_transcripts:,} transcripts, {total.n_by_model.total():,} were written by a "
        f"machine that was told the language ({models}) and checked by nobody: "
        "`transcript_source` names it."
    )


def _by_gender(counts: Counts) -> str:
    present = set(counts.values("gender"))
    genders = [name for name in ("female", "male", "other", UNKNOWN) if name in present]
    header = ["language"]
    for gender in genders:
        header += [f"{gender}: hours", "speakers"]
    rows = []
    for language in counts.languages:
        row = [language_name(language)]
        for gender in genders:
            _, n_speakers, hours = _amount(counts.total(language=language, gender=gender))
            row += [hours, n_speakers]
        rows.append(row)
    return table(header, rows)


def _by_source(counts: Counts) -> str:
    rows = []
    for source, licence, synthetic in counts.values("source", "licence", "synthetic"):
        wanted = {"source": source, "licence": licence, "synthetic": synthetic}
        total = counts.total(**wanted)
        languages = [
            code for code in counts.languages if counts.total(language=code, **wanted).n_clips
        ]
        rows.append([source, licence, few(languages), *_amount(total), "yes" if synthetic else ""])
    header = ["source", "licence", "languages", "clips", "speakers", "hours", "synthetic"]
    return table(header, rows)


def _licence_note(counts: Counts) -> str:
    licences = counts.values("licence")
    named = [name for name in licences if full_name(name) != name]
    if len(licences) == 1 and named:
        note = f"All recordings are under the {full_name(licences[0])}."
    else:
        note = f"Each recording's licence stands in its row; `{UNSTATED}` is one that names none."
        note += "\n" + "".join(f"\n- {name}: {full_name(name)}" for name in named)
    held = (
        (source, licence, counts.total(source=source, licence=licence).duration_s / 3600)
        for source, licence in counts.values("source", "licence")
    )
    if lines := restriction_lines(held):
        note += "\n\nWhat some ask for beyond naming the author:\n\n" + "\n".join(lines)
    return note


def _counted(excluded: ReasonCounts) -> str:
    if not excluded.counts:
        return ""
    return table(["why", "count"], [[why, f"{n:,}"] for why, n in excluded.counts.most_common()])


def _columns(features: Features) -> str:
    return table(
        ["column", "meaning"],
        [[f"`{name}`", COLUMN_MEANINGS.get(name, "")] for name in features],
    )
