"""What a worker process frees, it keeps for the next image."""

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import numpy
from eyened_domain.adapters.kept_memory import keep_memory

if sys.argv[1] == "keep":
    print(keep_memory())
numpy.ones(20_000_000, numpy.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    numpy.ones(20_000_000, numpy.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how):
    run = subprocess.run(
        [sys.executable, "-c", _FAULTS, how], capture_output=True, text=True, check=True
    )
    return run.stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_an_array_as_large_as_the_last_needs_no_new_pages():
    (usual,) = page_faults("usual")
    takes, kept = page_faults("keep")
    assert takes == "True"
    assert int(kept) < int(usual) / 10
