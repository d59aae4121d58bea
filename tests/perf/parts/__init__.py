"""The parts of `bin/bench vouchers`; each has `run(report, scale)`."""
