"""Kubernetes resource quantities, exactly: read, multiplied by a percentage, and written the way people write them."""

import re
from decimal import ROUND_CEILING, Decimal

_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|[kMGTPE]|[KMGTPE]i)?")


def parsed(text: object) -> Decimal | None:
    """The quantity as a number of cores or bytes; None for what cannot be read, such as exponents."""
    found = _QUANTITY.fullmatch(str(text))
    return Decimal(found[1]) * _SUFFIXES[found[2] or ""] if found else None


def written(resource: str, amount: Decimal) -> str:
    """``650m`` for cpu, ``384Mi`` for memory: rounded up to a thousandth of a core or a mebibyte."""
    if resource == "cpu":
        return f"{int((amount * 1000).to_integral_value(ROUND_CEILING))}m"
    return f"{int((amount / 1024**2).to_integral_value(ROUND_CEILING))}Mi"
