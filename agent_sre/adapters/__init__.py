"""The driven side: one file per backend, named ``<port>_<backend>.py``, that implements a protocol of ``ports``.

The only place for client libraries. Adapters are unaware of each other and decide nothing about incidents; they turn a
backend's failures into TemporaryError or PermanentError. Only ``bootstrap`` names them.
"""
