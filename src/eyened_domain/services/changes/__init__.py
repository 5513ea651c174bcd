"""Changes of rows: what is recorded of them, and the port of the storage that keeps them.

The service that people ask is `services.history`.
"""
