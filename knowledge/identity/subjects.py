"""What the catalog says about telling records of its object types apart: which property plays which role, by which
rules. Types of which nothing belongs to one entity alone are left out."""

from __future__ import annotations

from typing import NamedTuple

from core.errors import UnknownName
from core.text import Text
from knowledge.catalog import Catalog, IdentityRules, nearest
from knowledge.identity.fields import KINDS, role_by_name
from knowledge.identity.rules import Rules, load_rules

_TYPES = ("text", "date", "enum")


class Compared(NamedTuple):
    """How records of one type are compared. `roles`: property → role."""

    roles: dict[str, str]
    rules: Rules


def compared(catalog: Catalog) -> dict[str, Compared]:
    """Object type → how its records are compared.

    Raises:
        UnknownName: the catalog gives a property a role that there is not.
    """
    found: dict[str, Compared] = {}
    for kind in catalog.objects:
        given = catalog.identity.get(kind, IdentityRules())
        rules = load_rules().but(given)
        roles = _checked(kind, given.properties) if given.properties else _by_name(catalog, kind)
        if kind in catalog.identity or {*rules.personal, *rules.keys} & {*roles.values()}:
            found[kind] = Compared(roles, rules)
    return found


def _by_name(catalog: Catalog, kind: str) -> dict[str, str]:
    attributes = catalog.objects[kind].attributes
    named = {name: role_by_name(name) for name, attribute in attributes.items() if attribute.type in _TYPES}
    return {name: role for name, role in named.items() if role and KINDS[role]}


def _checked(kind: str, roles: dict[str, str]) -> dict[str, str]:
    for name, role in roles.items():
        if KINDS.get(role) is None:
            usable = [r for r, compared_as in KINDS.items() if compared_as]
            raise UnknownName(
                Text(f"没有角色 {role!r}", f"there is no role {role!r}"),
                where={"field": f"identity.{kind}.properties.{name}"},
                nearest=nearest(role, usable) or sorted(usable)[:5],
            )
    return dict(roles)
