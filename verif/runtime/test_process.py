import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("arguments", ["gemm -m 512 -k 512 -n 512 --preset small --set mem_depth=8192", "digits --backend golden"])
def test_interrupt_is_one_line(arguments):
    command = [sys.executable, "-m", "runtime", *arguments.split()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        while "..." not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line for line in rest.splitlines() if line and not line.endswith((" s", "..."))] == ["takt: error: interrupted"]
