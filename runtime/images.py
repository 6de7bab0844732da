"""Images named on the command line."""

from pathlib import Path

from arch.config import Config
from arch.image import Image

__all__ = ["load_image"]


def load_image(path: str | Path, config: Config | None) -> Image:
    """Read an image.

    Parameters
    ----------
    path
        The file.
    config
        Machine that it must be for; None: any.

    Raises
    ------
    TaktError
        When it cannot be read, is damaged, or is for another machine.
    """
    image = Image.load(path)
    if config is not None:
        image.check_machine(config)
    return image
