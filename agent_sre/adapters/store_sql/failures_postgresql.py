"""What PostgreSQL and its driver report, by SQLSTATE: what it means for us and what a person does about it.

A server that refuses a connection says why in words only: libpq hands no SQLSTATE on before there is a session. Those
words are looked for in English, which is what servers speak unless they are told otherwise; what is not understood is
taken to be passing, with the server's own words.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """``said``: the server's words. ``by_hand``: it stays so until an operator acts; ``for_good``: nothing helps."""

    said: str
    fix: str
    by_hand: bool = False
    for_good: bool = False


_AGAIN = "it is tried again"
_PASSING: tuple[tuple[str, str], ...] = (
    ("08", f"the connection was lost or not made; {_AGAIN}"),
    ("53100", "its disk is full; free space or enlarge it"),
    ("53200", "it is out of memory; give it more or lower max_connections"),
    ("53300", f"all its connections are taken; raise max_connections or lower what others use; {_AGAIN}"),
    ("53", f"it is short of a resource; {_AGAIN}"),
    ("57014", f"the statement took too long and was ended; {_AGAIN}, or look at what else the server does"),
    ("57P", f"the server stops, starts or fails over; {_AGAIN}"),
    ("25006", f"it is read-only, as a standby is during a failover; {_AGAIN}, or name the primary"),
    ("25P03", f"the transaction was idle for too long and was ended; {_AGAIN}"),
    ("40", f"another transaction was in the way; {_AGAIN}"),
    ("55P03", f"another session holds a lock; {_AGAIN}, or end that session"),
    ("58", "reading or writing its files failed; look at the server's disk and log"),
)
_DAMAGED = "its files are damaged; stop the service and restore a backup"
_BY_HAND: tuple[tuple[str, str], ...] = (
    ("42501", "grant the role the missing right: it must own the tables, or have all rights on them and the schema"),
    ("28", "set user and password in the database's URL, and let the role log in (pg_hba.conf)"),
    ("3D000", "create the database (createdb), or correct its name in the URL"),
    ("3F000", "create the schema, or correct the role's search_path"),
    ("42P01", "run the migrations: they are run when the service starts"),
    ("42703", "run the migrations: they are run when the service starts"),
)
_REFUSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"authentication failed|no password supplied"), "28"),
    (re.compile(r"no pg_hba\.conf entry|is not permitted to log in"), "28"),
    (re.compile(r'role ".*" does not exist'), "28"),
    (re.compile(r'database ".*" does not exist'), "3D000"),
    (re.compile(r"permission denied for database"), "42501"),
    (re.compile(r"too many connections|too many clients|remaining connection slots"), "53300"),
    (re.compile(r"starting up|shutting down|recovery mode|not (?:yet )?accepting connections"), "57P"),
    (re.compile(r"session is read-only|server is in hot standby mode|session is not read-only"), "25006"),
)
_TLS = re.compile(r"does not support SSL|certificate|sslmode|SSL error")
_OPTION = re.compile(r"invalid (?:connection option|URI query parameter)|invalid sslmode value")


def remedy(cause: BaseException) -> Remedy | None:
    """What is known of the driver's error; None for one that is not PostgreSQL's, or that says nothing we know."""
    if not type(cause).__module__.startswith("psycopg"):
        return None
    said = words_of(cause)
    state = getattr(cause, "sqlstate", None) or _state_of(said)
    shown = f"{said} ({state})" if getattr(cause, "sqlstate", None) else said
    if state in {"XX001", "XX002"}:
        return Remedy(shown, _DAMAGED, for_good=True)
    for prefix, fix in _BY_HAND:
        if state.startswith(prefix):
            return Remedy(shown, fix, by_hand=True)
    for prefix, fix in _PASSING:
        if state.startswith(prefix):
            return Remedy(shown, fix)
    if _OPTION.search(said):
        return Remedy(shown, "correct the parameters in the database's URL", by_hand=True)
    if not state and _TLS.search(said):
        return Remedy(shown, "correct sslmode and sslrootcert in the database's URL, or the certificate", by_hand=True)
    return None


def words_of(cause: object) -> str:
    """What the driver says, on one line, and without what follows the message: the detail quotes rows."""
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return " ".join(said.split())


def _state_of(said: str) -> str:
    return next((state for pattern, state in _REFUSED if pattern.search(said)), "")
