"""Circles in what refers to something of its own kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def in_circles(links: Mapping[int, Iterable[int]]) -> set[int]:
    """Return those that are reached from themselves by following links.

    Tarjan's strongly connected components, without recursion.
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: set[int] = set()
    for root in links:
        if root in index:
            continue
        work = [(root, iter(links.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found |= _component(node, stack, on_stack, links)
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(links.get(following, ()))))
            elif following in on_stack:
                low[node] = min(low[node], index[following])
    return found


def _component(
    node: int, stack: list[int], on_stack: set[int], links: Mapping[int, Iterable[int]]
) -> set[int]:
    members: set[int] = set()
    while True:
        member = stack.pop()
        on_stack.discard(member)
        members.add(member)
        if member == node:
            break
    itself = node in links.get(node, ())
    return members if len(members) > 1 or itself else set()
