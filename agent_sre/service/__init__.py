"""The use cases: accept alerts, advance an incident, decide an approval, answer a question, replay, export.

Each takes its ports as arguments and owns the order of commits, which is where promises about crashes are kept.
Not here: protocols of the outside world (``entrypoints``) and judgement (the stations). Called by
``entrypoints`` and ``cli``.
"""
