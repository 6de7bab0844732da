"""``takt info``."""

import click

from arch.config import Config
from runtime.console import show_table, write_json
from runtime.facts import machine_facts
from runtime.options import Command, OutputFile, examples, machine_options

__all__ = ["command"]

_EPILOG = examples("takt info", "takt info --preset groqchip --json", "takt info --preset small --set superlanes=2")


@click.command("info", cls=Command, epilog=_EPILOG)
@machine_options()
@click.option("--json", "json_file", is_flag=False, flag_value="-", help="As JSON, to stdout or into a file.")
def command(config: Config, json_file: str | None) -> None:
    """Show a machine: geometry, rates, queues, latencies."""
    facts = machine_facts(config)
    if json_file is not None:
        write_json(OutputFile(stdout=True).convert(json_file, None, None), facts)
        return
    geometry, rates, queues = facts["geometry"], facts["rates"], facts["queues"]
    planes, length = geometry["planes"], geometry["vector_length"]
    split = ", ".join(f"{count} {kind}" for kind, count in queues.items() if kind != "total")
    rows = [
        (
            "vector",
            f"{length} lanes = {_many(config.superlanes, 'superlane')} x {config.lanes} lanes, one byte each",
        ),
        ("streams", f"{config.streams} east + {config.streams} west, {geometry['positions']} positions"),
        ("stream bandwidth", f"{_size(rates['stream_bytes_per_cycle'])} per cycle"),
        ("SRAM", f"{_size(geometry['sram_bytes'])} in {config.slices} slices of 2 x {config.mem_depth} words"),
        ("ECC", f"{config.ecc_bits} bits on {8 * config.lanes}, SECDED" if config.ecc else "none"),
        ("SRAM bandwidth", f"{_size(rates['sram_bytes_per_cycle'])} per cycle"),
        ("MXM", f"{planes} planes of {length} x {length} MACs, accumulators for {config.acc_depth} results"),
        ("MACs per cycle", f"{rates['macs_per_cycle']:,}"),
        ("weight load", f"{_many(rates['weight_load_cycles'], 'cycle')} per plane over {config.lanes} streams"),
        ("VXM", f"{config.alu_rows} x {config.alu_cols} ALUs per lane"),
        ("queues", f"{queues['total']} = {split}; {config.queue_depth} words each"),
        ("links", f"{config.links}"),
        ("INT8 rate", f"{rates['tops_int8']:,.2f} TOPS at {config.clock_hz / 1e6:,.0f} MHz"),
        ("fingerprint", facts["fingerprint"]),
    ]
    show_table((config.name, ""), rows)
    click.echo()
    latencies = [
        (name, *("-" if row[key] is None else str(row[key]) for key in ("d_skew", "d_func", "retire")))
        for name, row in facts["latencies"].items()
    ]
    show_table(("instruction", "d_skew", "d_func", "retire"), latencies, "Cycles after the issue")
    click.echo()
    show_table(("delay", "cycles"), [(name, str(value)) for name, value in facts["delays"].items()])


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number > 1)}"


def _size(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024 or unit == "MiB":
            break
        size /= 1024  # type: ignore[assignment]
    return f"{size:,.4g} {unit}"
