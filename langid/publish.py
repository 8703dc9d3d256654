"""A finished run → a model repository on the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

from langid.weights_io import CONFIG_FILE, WEIGHTS_FILE, WeightsError

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
        api.create_repo(repo_id, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=list(PUBLISHED),
            commit_message="Upload weights, card and figures",
        )
    except HFValidationError as error:
        raise WeightsError(f"{repo_id!r} is no repository id: write USER/NAME.") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"The run could not be uploaded to {repo_id} ({reason}); it is complete in {folder}: "
            "check the connection, log in with 'hf auth login', and upload again with "
            f"'hf upload {repo_id} {folder}'."
        ) from error
    return commit.commit_url
