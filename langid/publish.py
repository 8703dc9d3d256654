"""A finished run → a model repository on the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError, HTTPError

from langid.weights_io import CONFIG_FILE, WEIGHTS_FILE, WeightsError, hub_reason

# The checkpoint stays at home: it is for resuming, and three times the size.
PUBLISHED = (CONFIG_FILE, WEIGHTS_FILE, "README.md", "metrics.json", "log.jsonl", "*.png")


def push_folder(folder: Path, repo_id: str, private: bool = False) -> str:
    """Upload the run in one commit, creating the repository if need be: the commit's address.

    Raises
    ------
    WeightsError
        If the Hub refuses or cannot be reached; the run in ``folder`` is untouched.
    """
    api = HfApi()
    try:
        # A bare name becomes one of the user's own.
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=list(PUBLISHED),
            commit_message="Upload weights, card and figures",
        )
    except HFValidationError as error:
        raise WeightsError(f"{repo_id!r} is no repository id: write USER/NAME.") from error
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"The run could not be uploaded to {repo_id} ({hub_reason(error)}); it is complete in "
            f"{folder}: check the connection, log in with 'hf auth login', and upload again with "
            f"'hf upload {repo_id} {folder} --exclude \"*.pt\"'."
        ) from error
    return commit.commit_url
