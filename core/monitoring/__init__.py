"""What a person, a probe and Prometheus may ask about the running system.

Rooms add their own in `AppConfig.ready()`: `core.monitoring.checks.register` for the health page,
`core.monitoring.gauges.register` for `/metrics`.
"""
