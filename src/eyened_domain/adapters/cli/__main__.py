"""`python -m eyened_domain.adapters.cli` is `eorm`."""

from eyened_domain.adapters.cli import main

main(prog_name="eorm")
