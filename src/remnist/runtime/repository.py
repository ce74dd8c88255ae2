"""DVC's repository in the working directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remnist.errors import UserError, reason

if TYPE_CHECKING:
    from dvc.repo import Repo


@contextmanager
def repository() -> Iterator["Repo"]:
    """Open it, and report what DVC refuses, or Git.

    Raises:
        UserError: they refuse, as where a file of theirs is damaged or the project belongs to another user.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from pygit2 import GitError
    from scmrepo.exceptions import SCMError

    try:
        with Repo() as repo:
            yield repo
    except (DvcException, SCMError) as error:
        said = reason(error)
        if said.endswith("not a git repository"):  # unpacked from an archive
            said += "; `git init` makes it one, and `dvc config --local core.no_scm true` lets DVC work without"
        raise UserError(said) from None
    except ValueError as error:  # DVC does not expect an impossible date
        raise UserError(f"dvc.yaml or params.yaml: {error}") from None
    except GitError as error:
        raise UserError(f"Git: {error}; `git status` says what helps") from None


def checkout(repo: "Repo", outputs: list[str] | None = None) -> None:
    """Put outputs that DVC's cache has in their places: these, or all.

    Raises:
        UserError: DVC would lose a file that someone changed; it stays.
    """
    from dvc.exceptions import DvcException

    if outputs == []:  # DVC takes it for all
        return
    try:
        repo.checkout(outputs, allow_missing=True)
    except DvcException as error:
        raise UserError(f"{reason(error)}\nAll that came is in DVC's cache: `dvc checkout --force`") from None
