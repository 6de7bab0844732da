"""What the tests of images share."""

from pathlib import Path

import pytest

from verif.arch.images import sample


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of an image."""
    path = tmp_path / "program.takt"
    sample().save(path)
    return path
