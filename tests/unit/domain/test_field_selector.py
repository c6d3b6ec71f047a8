"""Field selectors as a Kubernetes API server reads them."""

import pytest

from agent_sre.domain.field_selector import selects

EVENT = {"type": "Warning", "involvedObject": {"kind": "Node", "name": "worker-1"}, "count": 3}


@pytest.mark.parametrize(
    ("selector", "kept"),
    [
        ("", True),
        ("type=Warning", True),
        ("type==Normal", False),
        ("involvedObject.kind!=Pod", True),
        ("involvedObject.kind!=Node", False),
        ("type=Warning,involvedObject.name=worker-2", False),
        ("reason=", True),
        ("reason!=", False),
        ("count=3", True),
    ],
)
def test_what_is_kept(selector: str, kept: bool) -> None:
    assert selects(selector, EVENT) is kept


def test_what_is_no_selector_is_refused() -> None:
    with pytest.raises(ValueError, match="no field selector"):
        selects("type in (a)", EVENT)
