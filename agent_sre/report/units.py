"""How numbers are written for people: a value with its unit, and round steps for an axis.

Called by ``chart`` for ticks and by whoever puts a measured value into a sentence. Not here: what a metric's unit is,
which the signal catalogue says.
"""

import math

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SCALES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SUFFIX = {
    "percent": " %",
    "per_second": "/s",
    "bytes_per_second": "/s",
    "milliseconds": " ms",
    "seconds": " s",
    "packets": " packets",
    "cores": " cores",
}


def format_value(value: float, unit: str, step: float | None = None) -> str:
    """The value as a person writes it: ``128 MiB``, ``31 %``, ``250 ms``. ``step`` is the axis' step, for digits.

    A ratio is written in percent, seconds below one in milliseconds, cores below one as Kubernetes does (``250m``). Not
    finite: ``NaN``, ``∞``, ``-∞``.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if unit in {"bytes", "bytes_per_second"}:
        return _bytes(value, step) + _SUFFIX.get(unit, "")
    if unit == "milliseconds" and abs(value if step is None else step) >= 1000:
        return format_value(value / 1000, "seconds", None if step is None else step / 1000)
    if unit == "cores" and value and abs(value if step is None else step) < 1:
        return _digits(value * 1000, None if step is None else step * 1000) + "m"
    if unit == "ratio":
        return _digits(value * 100, None if step is None else step * 100) + " %"
    if unit == "seconds" and abs(step if step is not None else value) < 1 and value and abs(value) < 1:
        return _digits(value * 1000, None if step is None else step * 1000) + " ms"
    for scale, letter in _SCALES:
        if abs(value) >= scale:
            return _digits(value / scale, None if step is None else step / scale) + letter + _SUFFIX.get(unit, "")
    return _digits(value, step) + _SUFFIX.get(unit, "")


def nice_step(span: float, wanted: int, unit: str = "number") -> float:
    """The round step that gives about ``wanted`` steps: 1, 2 or 5 times a power of ten; for bytes a power of two."""
    raw = span / max(wanted, 1)
    if not math.isfinite(raw) or raw <= 1e-300:
        return 1.0
    if unit in {"bytes", "bytes_per_second"}:
        return float(2.0 ** max(0, math.ceil(math.log2(raw) - 1e-9)))
    exponent = math.floor(math.log10(raw))
    steps = (float(f"{factor}e{exponent}") for factor in (1, 2, 5, 10))
    return next((step for step in steps if step >= raw * 0.999999), raw)


def _bytes(value: float, step: float | None) -> str:
    power = 0
    while abs(value) >= 1024 and power < len(_BYTES) - 1:
        value /= 1024
        power += 1
    return f"{_digits(value, None if step is None else step / 1024**power)} {_BYTES[power]}"


def _digits(value: float, step: float | None) -> str:
    if step is not None and step > 0 and math.isfinite(step):
        decimals = next((n for n in range(9) if abs(round(step, n) - step) <= step * 1e-6), 9)
        text = f"{value:.{decimals}f}" if abs(value) < 1e6 else f"{value:.4g}"
    elif value == 0 or 0.01 <= abs(value) < 1e6:
        text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    else:
        text = f"{value:.2e}"
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
