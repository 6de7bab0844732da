"""Run ``takt`` inside the test's process."""

from click.testing import CliRunner, Result

from runtime.cli import main


def takt(*arguments: object, columns: str | None = None) -> Result:
    """Return what a command printed, and its exit code; a bug shows its traceback. `columns`: the variable COLUMNS."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": columns})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refusal(*arguments: object) -> str:
    """Return the one line that a command refuses with."""
    result = takt(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if not line.endswith("...")]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("takt: error: ")
    return lines[0].removeprefix("takt: error: ")
