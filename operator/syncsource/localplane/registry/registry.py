"""The resources that are served at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncsource.localplane.registry.resource import Resource


class Registry:
    """Look-ups by place and by storage key; `generation` moves whenever what is served changes."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self._unserved: dict[str, Resource] = {}
        self._by_storage: dict[str, list[Resource]] = {}
        self.generation = 0
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        if resource.is_served:
            self._resources[resource.group, resource.version, resource.plural] = resource
        else:
            self._unserved[resource.storage] = resource
        self._changed()

    def remove(self, group: str, plural: str) -> None:
        self._unserved.pop(f"{plural}.{group}", None)
        self._resources = {key: value for key, value in self._resources.items() if (key[0], key[2]) != (group, plural)}
        self._changed()

    def _changed(self) -> None:
        self._by_storage.clear()
        self.generation += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._resources.get((group, version, plural))

    def versions_of(self, storage: str) -> list[Resource]:
        """The resources whose objects are below a storage key."""
        if not self._by_storage:
            for resource in self:
                self._by_storage.setdefault(resource.storage, []).append(resource)
        return self._by_storage.get(storage, [])

    def stored(self, storage: str) -> Resource | None:
        """The resource whose version the objects below a storage key have, be it served or not."""
        own = (found for found in self.versions_of(storage) if found.is_storage and not found.renames)
        return next(own, self._unserved.get(storage))

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._resources.values()))

    def groups(self) -> list[str]:
        """Group names in the order they came, the core group first."""
        return sorted({resource.group for resource in self}, key=lambda group: (bool(group), self._order(group)))

    def _order(self, group: str) -> int:
        return next(index for index, resource in enumerate(self) if resource.group == group)

    def versions(self, group: str) -> list[str]:
        """Versions of a group, the preferred one first (KEP: v2 before v1 before v1beta1 before v1alpha1)."""
        return sorted({resource.version for resource in self if resource.group == group}, key=version_priority, reverse=True)

    def of(self, group: str, version: str) -> list[Resource]:
        return [resource for resource in self if (resource.group, resource.version) == (group, version)]


def version_priority(version: str) -> tuple[int, int, int]:
    """The order of Kubernetes versions (`k8s.io/apimachinery/pkg/version`)."""
    head, stage, minor = version.removeprefix("v"), 2, 0
    for number, name in ((1, "beta"), (0, "alpha")):
        if name in head:
            head, _, tail = head.partition(name)
            stage, minor = number, int(tail or 0)
    return stage, int(head) if head.isdigit() else -1, minor
