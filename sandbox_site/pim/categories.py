"""Category trees: their categories, and the websites that they feed."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .data import Record
from .errors import EntryError, SandboxError
from .products import now
from .schema import parse_guid
from .store import Records, Store
from .values import InvalidValueError, required_line, url_segment


class Place(NamedTuple):
    """A category, with the names of its ancestors, from the top, and its own."""

    category: Record
    path: tuple[str, ...]


def places(records: Records, tree_id: str) -> list[Place]:
    """The categories of a tree as they stand in it."""
    children: dict[str | None, list[Record]] = {}
    for category in records.find("categorytrees", categoryTaxonomyId=tree_id):
        children.setdefault(category.get("parentId"), []).append(category)

    def below(parent: str | None, path: tuple[str, ...]) -> Iterator[Place]:
        for category in sorted(children.get(parent, []), key=_order):
            own_path = (*path, str(category.get("name") or ""))
            yield Place(category, own_path)
            yield from below(category["id"], own_path)

    return list(below(None, ()))


def websites_fed(tree: Record) -> list[str]:
    """The ids of the websites that the tree feeds; by the PIM's rule one at most."""
    return [str(link.get("websiteId")) for link in tree.get("websites") or []]


def create_tree(store: Store, name: str) -> Record:
    """A tree that feeds no website yet. Raises EntryError."""
    with store.writing() as records:
        try:
            name = required_line(name)
            _refuse_double(name, records.find("categoryTaxonomies"), "category tree")
        except InvalidValueError as error:
            raise EntryError({"name": str(error)}) from error
        tree = _dated({"name": name, "description": "", "websites": []})
        return records.put("categoryTaxonomies", tree)


def create_category(
    store: Store, tree_id: str, name: str, *, parent_id: str = "", segment: str = ""
) -> Record | None:
    """A category, the last below its parent; None if the tree is gone.

    Raises EntryError.
    """
    with store.writing() as records:
        if records.get("categoryTaxonomies", tree_id) is None:
            return None
        all_places = places(records, tree_id)
        faults: dict[str, str] = {}
        parent = None
        if parent_id:
            guid = parse_guid(parent_id)
            by_id = {place.category["id"]: place.category for place in all_places}
            parent = by_id.get(guid or "")
            if parent is None:
                faults["parent"] = "The tree has no such category."
        siblings = [
            place.category
            for place in all_places
            if place.category.get("parentId") == (parent and parent["id"])
        ]
        try:
            name = required_line(name)
            if "parent" not in faults:
                _refuse_double(name, siblings, "category")
        except InvalidValueError as error:
            faults["name"] = str(error)
        try:
            checked_segment = url_segment(segment)
        except InvalidValueError as error:
            faults["segment"] = str(error)
        if faults:
            raise EntryError(faults)
        if parent is not None and not parent.get("hasChild"):
            records.put("categorytrees", {**parent, "hasChild": True})
        positions = [sibling.get("displaySequence") or 0 for sibling in siblings]
        category = {
            "name": name,
            "description": "",
            "urlSegment": checked_segment,
            "parentId": parent and parent["id"],
            "categoryTaxonomyId": tree_id,
            "displaySequence": max(positions, default=-1) + 1,
            "isDynamic": False,
            "hasChild": False,
            "activateOn": now(),
            "deactivateOn": None,
            "smallImageAssetId": None,
            "largeImageAssetId": None,
            "pageTitle": None,
            "metaDescription": None,
        }
        return records.put("categorytrees", _dated(category))


def map_tree(store: Store, tree_id: str, website_id: str | None) -> Record | None:
    """Let the tree feed this website and no other, or none; None if it is gone.

    Raises EntryError.
    """
    with store.writing() as records:
        tree = records.get("categoryTaxonomies", tree_id)
        if tree is None:
            return None
        return _map(records, tree, website_id)


def map_tree_by_name(store: Store, tree_name: str, website_name: str | None) -> Record:
    """As ``map_tree``. Raises SandboxError that lists what there is for a bad name."""
    with store.writing() as records:
        tree = _named(records, "categoryTaxonomies", "category tree", tree_name)
        if website_name is None:
            return _map(records, tree, None)
        website = _named(records, "websites", "website", website_name)
        return _map(records, tree, website["id"])


def _map(records: Records, tree: Record, website_id: str | None) -> Record:
    links = []
    if website_id:
        guid = parse_guid(website_id)
        if guid is None or records.get("websites", guid) is None:
            raise EntryError({"website": "There is no such website."})
        link = {"categoryTaxonomyId": tree["id"], "websiteId": guid}
        links = [_dated({"id": str(uuid.uuid4()), **link})]
    return records.put(
        "categoryTaxonomies", {**tree, "websites": links, "modifiedOn": now()}
    )


def _named(records: Records, set_name: str, what: str, name: str) -> Record:
    everything = records.find(set_name)
    found = [record for record in everything if record.get("name") == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise SandboxError(f"There are {len(found)} {what}s “{name}”: use the screen.")
    names = ", ".join(sorted(str(record.get("name")) for record in everything))
    raise SandboxError(
        f"There is no {what} “{name}”. There is: {names or 'none at all'}."
    )


def _refuse_double(name: str, others: list[Record], what: str) -> None:
    if name.casefold() in {str(other.get("name")).casefold() for other in others}:
        raise InvalidValueError(f"There is a {what} “{name}” here.")


def _dated(values: Mapping[str, Any]) -> Record:
    moment = now()
    return {"createdOn": moment, "modifiedOn": moment, **values}


def _order(category: Record) -> tuple[int, str]:
    return (
        category.get("displaySequence") or 0,
        str(category.get("name")).casefold(),
    )
