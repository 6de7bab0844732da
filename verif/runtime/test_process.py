import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize(
    "arguments", ["gemm -m 512 -k 512 -n 512 --preset small --set mem_depth=8192", "digits --backend golden"]
)
def test_interrupt_is_one_line(arguments):
    # A shell's background job ignores SIGINT, and hands that on.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "runtime", *arguments.split()]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        while "..." not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    # Python kills itself by SIGINT if the interrupt met code that a library compiled; a shell sees 130 either way.
    assert process.returncode in (130, -signal.SIGINT)
    assert [line for line in rest.splitlines() if line and not line.endswith((" s", "..."))] == [
        "takt: error: interrupted"
    ]


def test_a_missing_simulator_says_what_to_install(tmp_path):
    product = ["-m", "2", "-k", "2", "-n", "2", "--preset", "nano", "--backend", "icarus"]
    command = [sys.executable, "-m", "runtime", "gemm", *product]
    environment = {**os.environ, "PATH": str(tmp_path), "TAKT_BUILD": str(tmp_path)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "takt: error: iverilog was not found; install Icarus Verilog: `apt install iverilog`" in result.stderr
    assert "Traceback" not in result.stderr
