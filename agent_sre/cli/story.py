"""Tells one incident as it happens, from the console's JSON: what any client of the service could see."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

_POLL = 0.25
_OVER = {"resolved", "escalated", "closed"}
_EXCERPT = 240


class Story:
    """Follows the first incident of a service and prints each chapter once. ``approve`` decides by itself."""

    def __init__(self, url: str, console: Console, *, approve: bool) -> None:
        self._url = url
        self._console = console
        self._approve = approve
        self._told: set[str] = set()

    async def follow(self) -> bool:
        """Tell the story to its end; True where recovery was verified."""
        async with httpx.AsyncClient(base_url=self._url, timeout=10.0, trust_env=False) as client:
            while True:
                rows = (await client.get("/api/incidents")).raise_for_status().json()["incidents"]
                if rows:
                    found = (await client.get(f"/api/incidents/{rows[0]['id']}")).raise_for_status().json()
                    await self._tell(found, client)
                    if self._ended(found):
                        return any(effect["verified"] == "recovered" for effect in found["effects"])
                await asyncio.sleep(_POLL)

    def _ended(self, found: Mapping[str, Any]) -> bool:
        return found["status"] in _OVER and "end" in self._told

    async def _tell(self, found: Mapping[str, Any], client: httpx.AsyncClient) -> None:
        self._once("alert", lambda: self._alert(found))
        if found["answer"] is not None:
            self._once("evidence", lambda: self._evidence(found["answer"]))
            self._once("hypothesis", lambda: self._hypothesis(found["answer"]))
        for approval in found["approvals"]:
            self._once(f"asked {approval['id']}", lambda item=approval: self._asked(item, found))  # type: ignore[misc]
            if self._approve and approval["state"] == "waiting":
                body = {"decision": "approve", "digest": approval["digest"], "by": "demo", "reason": "headless demo"}
                (await client.post(f"/api/approvals/{approval['id']}", json=body)).raise_for_status()
            if approval["decided_by"]:
                self._once(f"decided {approval['id']}", lambda item=approval: self._decided(item))  # type: ignore[misc]
        for effect in found["effects"]:
            if effect["state"] != "intended":
                self._once(f"effect {effect['id']}", lambda item=effect: self._effect(item))  # type: ignore[misc]
            if effect["verified"]:
                self._once(f"verified {effect['id']}", lambda item=effect: self._verified(item))  # type: ignore[misc]
        if found["status"] in _OVER:
            self._once("end", lambda: self._head("INCIDENT", f"{found['id']} is {found['status']}"))

    def _once(self, chapter: str, tell: Callable[[], None]) -> None:
        if chapter not in self._told:
            self._told.add(chapter)
            tell()

    def _head(self, chapter: str, text: str) -> None:
        self._console.print(f"[bold cyan]{chapter:<13}[/]{escape(text)}")

    def _more(self, text: str) -> None:
        for line in text.splitlines():
            self._console.print(f"{'':13}{escape(line)}")

    def _alert(self, found: Mapping[str, Any]) -> None:
        self._head("ALERT", f"{found['title']} ({found['severity']}, {found['namespace']}/{found['service']})")
        self._more(f"incident {found['id']}, opened {found['opened_at']}: {self._url}/incidents/{found['id']}")

    def _evidence(self, answer: Mapping[str, Any]) -> None:
        cited = answer["hypotheses"][0]["evidence"] if answer["hypotheses"] else []
        self._head(
            "EVIDENCE", f"{len(answer['evidence'])} pieces cited, {len(answer['gaps'])} gaps; the leading cause's:"
        )
        for key in cited[:4]:
            item = answer["evidence"][key]
            self._more(f"{key} {item['source']}: {item['query']}")
            self._more(f"   {' '.join(item['excerpt'].split())[:_EXCERPT]}")

    def _hypothesis(self, answer: Mapping[str, Any]) -> None:
        for item in answer["hypotheses"][:1]:
            self._head("HYPOTHESIS", f"{item['statement']}")
            place = f"{item['object']['kind']} {item['object']['namespace']}/{item['object']['name']}"
            self._more(f"{item['fault']} at {place}, confidence {item['confidence']:.0%}, evidence {item['evidence']}")

    def _asked(self, approval: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        target = approval["target"]
        place = f"{target['kind']} {target['namespace']}/{target['name']}"
        self._head("APPROVAL", f"asked for: {approval['action']} on {place} (risk {approval['risk']})")
        self._more(approval["preview"])
        self._more(f"undo: {approval['undo']}")
        if not self._approve and approval["state"] == "waiting":
            self._more(f"approve or reject at {self._url}/incidents/{found['id']}")

    def _decided(self, approval: Mapping[str, Any]) -> None:
        self._more(f"{approval['state']} by {approval['decided_by']}")

    def _effect(self, effect: Mapping[str, Any]) -> None:
        self._head("ACTION", f"{effect['state']}: {effect['detail']}")

    def _verified(self, effect: Mapping[str, Any]) -> None:
        self._head("VERIFICATION", f"{effect['verified']}: {effect['verification']}")
