"""Small Protocols, owned by the stations, graph and service that call them; adapters and ``testing`` implement them.

Only domain values pass through. Every method may raise TemporaryError (try again) or PermanentError (don't); a reader
never turns a failure into an empty answer.
"""
