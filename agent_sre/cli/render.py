"""The answer as a report in the terminal: the same document as ``--json``, for a person.

Everything printed is telemetry or made from it: it goes through ``visible`` (no escape sequence reaches the terminal)
and into ``Text``, never into rich's markup. Colour only repeats what words say, so a pipe loses nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent_sre.domain.visible import one_line, visible

_BAR = 12
_EXCERPT = 220
_MUTED = "bright_black"
_OUTCOMES = {"holds": "green", "fails": "red", "unseen": _MUTED}


def render_report(answer: Mapping[str, Any], console: Console) -> None:
    """Print the answer (the document of ``investigate --json``): cause, evidence, what was ruled out or not seen."""
    hypotheses = answer["hypotheses"]
    conclusive = answer["status"] == "conclusive"
    console.print(_line((answer["incident"], "bold"), "  ", (answer["status"], "green" if conclusive else "yellow")))
    impact = answer.get("impact") or {}
    if impact.get("summary"):
        since = f" Since {impact['since']}." if impact.get("since") else ""
        console.print(_line("Impact  ", impact["summary"] + since, _ids(impact.get("evidence", ()))))
    if not hypotheses:
        _head(console, "No cause was found that the evidence supports")
    for item in hypotheses:
        first = item is hypotheses[0]
        if first:
            _head(console, "Most likely cause" if conclusive else "Leading candidate, not proven")
        _hypothesis(console, item, answer["evidence"], detailed=first)
    _listed(console, "Ruled out", [(item["what"], item["why"], item["evidence"]) for item in answer["ruled_out"]])
    _listed(console, "Could not be looked at", [_gap(item) for item in answer["gaps"]])
    _actions(console, answer["actions"])
    _timeline(console, answer["timeline"])
    console.print(_line((_footer(answer), _MUTED)))


def _hypothesis(
    console: Console, item: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]], *, detailed: bool
) -> None:
    where = " ".join(part for part in (item["object"]["kind"], _place(item["object"])) if part)
    change = f" · change {item['change']}" if item.get("change") else ""
    console.print(_line(f"{item['rank']}. ", (item["statement"], "bold" if detailed else "")))
    console.print(_line("   ", _bar(item["confidence"]), (f"  {item['fault']} · {where}{change}", _MUTED)))
    if not detailed:
        return
    for title, keys in (("for", item["evidence"]), ("against", item["against"])):
        if keys:
            console.print(_line((f"   {title}", _MUTED)))
            console.print(Padding(_evidence_table(keys, evidence), (0, 0, 0, 5)))
    _predictions(console, item.get("predictions") or ())
    if item.get("distinguish"):
        settle = _line(("what would settle it: ", _MUTED), item["distinguish"])
        console.print(Padding(settle, (0, 0, 0, 3)))


def _predictions(console: Console, predictions: Sequence[Mapping[str, Any]]) -> None:
    """What must be so if the cause is right, and whether it is."""
    if not predictions:
        return
    console.print(_line(("   predicts", _MUTED)))
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in predictions:
        why = f": {item['missing']}" if item["missing"] else ""
        table.add_row(
            _line((item["outcome"], _OUTCOMES.get(item["outcome"], ""))),
            _line(item["says"], (why, _MUTED), _ids(item["evidence"])),
        )
    console.print(Padding(table, (0, 0, 0, 5)))


def _evidence_table(keys: Sequence[str], evidence: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for key in keys:
        item = evidence.get(key)
        if item is None:
            table.add_row(_line((key, "cyan")), _line("this evidence is not in the answer"))
            continue
        when = f"  {item['time']}" if item.get("time") else ""
        table.add_row(_line((key, "cyan")), _line(one_line(item["excerpt"], _EXCERPT)))
        table.add_row("", _line((f"{item['source']}: {one_line(item['query'], _EXCERPT)}{when}", _MUTED)))
    return table


def _listed(console: Console, title: str, rows: Sequence[tuple[str, str, Sequence[str]]]) -> None:
    if not rows:
        return
    _head(console, title)
    console.print(_bullets([_line(f"{what}: {why}", _ids(keys)) for what, why, keys in rows]))


def _bullets(lines: Sequence[Text]) -> Table:
    """A list whose wrapped lines hang under their first."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row("-", line)
    return table


def _gap(item: Mapping[str, Any]) -> tuple[str, str, Sequence[str]]:
    fix = f" ({item['fix']})" if item.get("fix") else ""
    return f"{item['source']}, {item['what']}", f"{item['reason']}{fix}", ()


def _actions(console: Console, actions: Sequence[Mapping[str, Any]]) -> None:
    if not actions:
        return
    _head(console, "What a runbook offers")
    for item in actions:
        parameters = ", ".join(f"{name}={value}" for name, value in item["parameters"].items())
        target = f" on {item['target']['kind']} {_place(item['target'])}" if item.get("target") else ""
        words = f"{item['action']}{target}" + (f" ({parameters})" if parameters else "")
        risk = (f"  {item['risk']} risk, runbook {item['runbook']}", _MUTED)
        console.print(_bullets([_line(words, risk, (f"\nundo: {item['undo']}", _MUTED))]))


def _timeline(console: Console, entries: Sequence[Mapping[str, Any]]) -> None:
    if not entries:
        return
    _head(console, "Timeline (UTC)")
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in entries:
        text = _line(one_line(item["text"], _EXCERPT), _ids(item.get("evidence", ())))
        table.add_row(_line((item["time"], _MUTED)), _line(item["kind"]), text)
    console.print(table)


def _footer(answer: Mapping[str, Any]) -> str:
    seconds = answer["seconds"]
    total = seconds.get("total", sum(seconds.values()))
    cost = answer["cost"]
    model = f", {cost['llm_calls']} model calls, {cost['usd']:.4f} USD" if cost.get("llm_calls") else ", no model"
    return f"\n{answer['engine']} engine, {total:.1f} s{model}, {len(answer['evidence'])} pieces of evidence"


def _head(console: Console, title: str) -> None:
    console.print()
    console.print(_line((title, "bold")))


def _bar(confidence: float) -> str:
    filled = round(min(max(confidence, 0.0), 1.0) * _BAR)
    return "█" * filled + "░" * (_BAR - filled) + f" {confidence:4.0%}"


def _place(ref: Mapping[str, str]) -> str:
    return "/".join(part for part in (ref["namespace"], ref["name"]) if part)


def _ids(keys: Sequence[str]) -> tuple[str, str]:
    return (f"  [{', '.join(keys)}]" if keys else "", "cyan")


def _line(*parts: str | tuple[str, str]) -> Text:
    """A line of plain and styled parts; what is hidden in them is shown."""
    text = Text()
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(visible(words), style)
    return text
