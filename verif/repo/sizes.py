"""``python -m verif.repo.sizes``: source files and lines of each folder, so that growth is seen."""

from collections import Counter

from verif.repo.files import name_of, source_files


def sizes() -> dict[str, tuple[int, int]]:
    """Return the number of files and of lines by top folder; ``.`` stands for files at the top."""
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in source_files():
        folder, slash, _ = name_of(path).partition("/")
        files[folder if slash else "."] += 1
        lines[folder if slash else "."] += len(path.read_text().splitlines())
    return {folder: (files[folder], lines[folder]) for folder in sorted(files)}


def main() -> None:
    """Print a line per folder and the sum."""
    found = sizes()
    total = tuple(map(sum, zip(*found.values(), strict=True)))
    for folder, (files, lines) in [*found.items(), ("all", total)]:
        print(f"{folder:10} {files:4} files {lines:6} lines")


if __name__ == "__main__":
    main()
