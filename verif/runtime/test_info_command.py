import json

from verif.runtime.command_line import refusal, takt


def test_groqchip_has_the_published_numbers():
    facts = json.loads(takt("info", "--preset", "groqchip", "--json").stdout)
    assert facts["queues"] == {"total": 144, "MEM": 88, "VXM": 16, "MXM": 12, "SXM": 12, "C2C": 16}
    assert facts["geometry"]["vector_length"] == 320
    assert facts["geometry"]["sram_bytes"] == 220 * 2**20
    assert facts["geometry"]["sram_bytes_per_slice"] == 2.5 * 2**20
    assert facts["geometry"]["ecc_bits_per_word"] == 9
    assert facts["rates"]["macs_per_cycle"] == 409_600
    assert facts["rates"]["stream_bytes_per_cycle"] == 20 * 2**10
    assert facts["rates"]["sram_bytes_per_cycle"] == 55 * 2**10
    assert facts["rates"]["weight_load_cycles"] == 20
    assert round(facts["rates"]["tops_int8"]) == 737


def test_text_and_json_say_the_same():
    text = takt("info", "--set", "superlanes=2").stdout
    facts = json.loads(takt("info", "--set", "superlanes=2", "--json", "-").stdout)
    assert f"{facts['rates']['macs_per_cycle']:,}" in text
    assert facts["fingerprint"] in text


def test_json_goes_to_a_file(tmp_path):
    assert takt("info", "--json", tmp_path / "info.json").stdout == ""
    assert json.loads((tmp_path / "info.json").read_text())["preset"] == "small"


def test_wrong_machines_are_refused():
    assert refusal("info", "--preset", "big").endswith("not 'big'")
    assert refusal("info", "--set", "lanes").startswith("setting must be PARAMETER=VALUE")
    assert refusal("info", "--set", "lane=4").endswith("not 'lane'")
    assert refusal("info", "--set", "lanes=4.5").endswith("not '4.5'")
    assert refusal("info", "--set", "lanes=5") == "lanes must be 4, 8 or 16, not 5"


def test_the_command_line_itself():
    assert "digits" in takt().stdout
    assert "digits" in takt("--help").stdout
    assert refusal("gem").endswith("not 'gem'")
    assert "--nope" in refusal("info", "--nope")
