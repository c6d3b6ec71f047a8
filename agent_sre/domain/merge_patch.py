"""JSON merge patches (RFC 7396): the one form in which a change to a Kubernetes object is proposed, shown and applied.

A patch is data: it can be digested, stored with an approval and read again years later. Its traps are in the format,
so they are handled once, here: null removes a key, a list is replaced whole, and so a null inside an object cannot be
written at all. Not here: which changes are allowed (``actions``) and sending them (``adapters``).
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any


def apply_merge_patch(target: object, patch: object) -> Any:
    """The value after the patch, as RFC 7396 section 2 says; neither argument is changed."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = deepcopy(dict(target)) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return result


def merge_patch_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest merge patch that turns ``before`` into ``after``: keys that must go are null, equal keys absent.

    Raises ValueError naming the path where ``after`` holds a null inside an object: no merge patch can write one.
    """
    return _between(before, after, "")


def _between(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        where = f"{path}.{key}".lstrip(".")
        old = before.get(key)
        if key in before and same(old, value):
            continue
        if value is None:
            raise ValueError(f"{where} is null, which a merge patch cannot write")
        if isinstance(value, Mapping):
            # Onto something that is not an object the patch starts from {}, and an empty object stays one.
            patch[key] = _between(old if isinstance(old, Mapping) else {}, value, where)
        else:
            patch[key] = deepcopy(value)
    return patch


def reverse_merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that gives back what ``patch`` takes from ``target``, and says nothing of anything else.

    Nulls inside ``target`` cannot be given back: they come back as absent keys, which an API server reads alike.
    """
    back: dict[str, Any] = {}
    for key, value in patch.items():
        old = target.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            back[key] = reverse_merge_patch(old, value)
        elif old is not None:
            back[key] = deepcopy(old)
        elif value is not None:
            back[key] = None
    return back


def same(left: object, right: object) -> bool:
    """Equality as JSON has it: true is not 1, and objects and lists are compared inside."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right
