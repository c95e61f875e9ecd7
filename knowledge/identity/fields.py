"""Which column of a table says what: by its name in Chinese or English, by the shape of what it holds, or as told; and
rows read through that into standard records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

import yaml

from core.errors import InvalidInput, UnknownName
from core.text import Text, has_chinese
from knowledge.catalog import nearest
from knowledge.identity.standard import Kind, standard
from knowledge.identity.words import DATA, company_forms, person_name, plain

Record = dict[str, str]
"""Field → standard value; a field without a value is not in it."""
Rows = Sequence[Mapping[str, Any]]

KINDS: dict[str, Kind | None] = {
    "record": None,
    "ignore": None,
    "national_id": "identifier",
    "device": "identifier",
    "identifier": "identifier",
    "given_name": "name",
    "middle_name": "name",
    "surname": "name",
    "full_name": "full_name",
    "company": "company",
    "birth_date": "date",
    "date": "date",
    "email": "email",
    "phone": "phone",
    "postcode": "code",
    "house_number": "code",
    "code": "code",
    "region": "place",
    "locality": "place",
    "gender": "place",
    "category": "place",
    "address": "address",
    "text": "text",
}
"""Role → how it is compared; None: not at all."""
ADDRESS = ("house_number", "address", "locality", "region", "postcode")
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Field:
    """Something that records say and that is compared. `beside`: the field its value may have slipped into."""

    name: str
    role: str
    kind: Kind
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one table's columns stand: field → the columns that make it up; `record` names the column with the
    records' own ids, None where they have none."""

    columns: Mapping[str, tuple[str, ...]]
    record: str | None
    month_first: frozenset[str] = frozenset()


def read_map(content: str) -> dict[str, str]:
    """A column map: YAML or JSON `{columns: {column: role}}`.

    Raises:
        InvalidInput: it is no such document.
        UnknownName: a role that there is not.
    """
    try:
        read = yaml.safe_load(content)
    except yaml.YAMLError as cause:
        raise InvalidInput(Text(f"读不了列映射：{cause}", f"the column map cannot be read: {cause}")) from cause
    columns = read.get("columns") if isinstance(read, dict) else None
    if not isinstance(columns, dict) or not columns:
        raise InvalidInput(
            Text("列映射应是 columns: {列名: 角色}", "a column map reads columns: {column: role}"),
            hint=Text("例如 columns: {姓名: full_name, 备注: ignore}", "For example columns: {customer: full_name}"),
        )
    for column, role in columns.items():
        if role not in KINDS:
            raise UnknownName(
                Text(f"没有角色 {role!r}", f"there is no role {role!r}"),
                where={"field": str(column)},
                nearest=nearest(str(role), KINDS) or sorted(KINDS)[:5],
            )
    return {str(column): str(role) for column, role in columns.items()}


def lay_out(tables: Sequence[Rows], told: Mapping[str, str] | None = None) -> tuple[tuple[Field, ...], list[Layout]]:
    """The fields that all tables together have, and where each table keeps them.

    Raises:
        UnknownName: `told` names a column that no table has.
        InvalidInput: no column says anything that could be compared.
    """
    roles = [_roles(rows, told or {}) for rows in tables]
    known = {column for table in roles for column in table}
    for column in (told or {}).keys() - known:
        raise UnknownName(
            Text(f"文件没有列 {column!r}", f"no file has a column {column!r}"),
            nearest=nearest(column, known) or sorted(known)[:5],
        )
    named = [_named(table) for table in roles]
    for table, rows in zip(named, tables, strict=True):
        _split_contacts(table, rows)
    _align(named, list(tables))
    used = {name: role for table in named for name, (role, _) in table.items() if KINDS[role]}
    fields = [Field(name, role, kind) for name, role in sorted(used.items()) if (kind := KINDS[role])]
    if not fields:
        raise InvalidInput(
            Text("没有可以比较的列", "no column says anything that could be compared"),
            hint=Text("用 --map 说明列的含义", "Say with --map what the columns mean"),
        )
    layouts = []
    for rows, table in zip(tables, named, strict=True):
        columns = {name: found for name, (role, found) in table.items() if KINDS[role]}
        dates = {n for n in columns if KINDS[used[n]] == "date" and _month_first([r.get(columns[n][0]) for r in rows])}
        layouts.append(
            Layout(columns, next((c[0] for r, c in table.values() if r == "record"), None), frozenset(dates))
        )
    return _neighbours(fields), layouts


def read_record(row: Mapping[str, Any], fields: Sequence[Field], layout: Layout) -> Record:
    """One row in standard form."""
    record: Record = {}
    for field in fields:
        cells = [row.get(c) for c in layout.columns.get(field.name, ())]
        if len(cells) > 1:
            parts = [plain(c) for c in cells if c is not None and str(c).strip()]
            cells = [("" if has_chinese("".join(parts)) else " ").join(parts)]
        if cells and (value := standard(field.kind, cells[0], month_first=field.name in layout.month_first)):
            record[field.name] = value
    return record


@cache
def _dictionary() -> dict[str, dict[str, list[str]]]:
    content: dict[str, dict[str, list[str]]] = yaml.safe_load((DATA / "columns.yaml").read_text(encoding="utf-8"))
    return content


def _column_key(column: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[^\w]+|_+", "_", plain(spaced).replace(" ", "_")).strip("_")


def role_by_name(column: str) -> str | None:
    """The role that a column's name tells, or None."""
    key = re.sub(r"_?\d+$", "", _column_key(column))
    for role, names in _dictionary().items():
        if key in names["name"]:
            return role
    parts = f"_{key}_"
    for role, names in _dictionary().items():
        if any((p in key) if has_chinese(p) else (f"_{p}_" in parts) for p in names["part"]):
            return role
    return None


def _role_by_hint(column: str, sample: Sequence[str]) -> str | None:
    """The role of a column of names that is called by whose names they are, or by the end at which they stand."""
    if _share(sample, _WORDS_ONLY) < 0.8 or _is_category(sample):
        return None
    key = f"_{_column_key(column)}_"
    for role, names in _dictionary().items():
        if any((p in key) if has_chinese(p) else (f"_{p}_" in key) for p in names.get("hint", ())):
            return role
    return None


def _roles(rows: Rows, told: Mapping[str, str]) -> dict[str, str]:
    columns = list(dict.fromkeys(c for row in islice(rows, _SAMPLE) for c in row))
    return {c: told[c] if c in told else _role(c, rows) for c in columns}


def _role(column: str, rows: Rows) -> str:
    cells = [row.get(column) for row in rows]
    filled = [text for c in cells if c is not None and (text := plain(c))]
    role = role_by_name(column)
    if not filled or (role is None and len(set(filled)) == 1):
        return "ignore"
    sample = filled[:_SAMPLE]
    by_shape = _by_shape(sample)
    if role is None and by_shape in ("text", "full_name"):
        role = _role_by_hint(column, sample)
    if role == "record":
        return "record" if len(set(filled)) == len(cells) else "ignore"
    if role in ("full_name", "company") and by_shape in ("company", "full_name", "email", "phone"):
        return by_shape if by_shape != "full_name" else role
    if role is None or (role in _CHECKED and _share(sample, _CHECKED[role]) < 0.4):
        unique = len(set(filled)) == len(cells) and len(cells) > 20
        if unique and by_shape in ("code", "identifier") and not _share(sample, _SHAPES["national_id"]) > 0.7:
            return "record" if role is None else "ignore"
        return by_shape
    return role


def _share(sample: Sequence[str], holds: Callable[[str], object]) -> float:
    return sum(1 for value in sample if holds(value)) / max(1, len(sample))


_DATE_SHAPE = re.compile(
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ t].*)?|\d{4}年\d{1,2}月.*"
)
_SHAPES: dict[str, Callable[[str], object]] = {
    "email": lambda v: re.fullmatch(r"\s*[^@\s]+@[^@\s]+\.\w+\s*", v),
    "national_id": lambda v: re.fullmatch(r"\d{6}(?:19|20)?\d{2}[\d*]{6,9}[\dx*]|[0-9a-z*]{2}\d{6}[0-9a-z*]{10}", v),
    "date": _DATE_SHAPE.fullmatch,
    "phone": lambda v: re.fullmatch(r"[+(]?[\d*x()（） -]{7,18}(?:(?:ext|x|转|#|-)\.?\s*\d+)?", v) and not v.isalpha(),
    "company": lambda v: company_forms().search(v),
    "full_name": person_name,
    "address": lambda v: (
        re.search(r"[省市区县镇乡村路街巷弄号栋幢室].*[路街巷弄道号栋幢室村\d]", v)
        or re.fullmatch(r"\d+\w?[ ,]+[a-z].*", v)
    ),
    "code": lambda v: re.fullmatch(r"\w?\d{1,6}\w?", v),
    "identifier": lambda v: re.fullmatch(r"(?=.*\d)[\w-]{7,}", v),
}
_CHECKED = {
    "email": _SHAPES["email"],
    "birth_date": lambda v: re.search(r"\d", v),
    "phone": lambda v: len(re.findall(r"[\d*]", v)) >= 5,
    "postcode": lambda v: re.search(r"\d", v),
    "full_name": lambda v: not re.search(r"\d{3}", v),
    "given_name": lambda v: not re.search(r"\d{3}", v),
    "surname": lambda v: not re.search(r"\d{3}", v),
}
_NEEDED = {"company": 0.4}
_WORDS_ONLY = re.compile(r"[^\W\d_]+(?:[ .,'’·-]+[^\W\d_]+){0,4}\.?").fullmatch
_NAMES_KNOWN = 0.25
"""Of a column of words without numbers, this share has a name that is known: the others are names that are not."""


def _by_shape(sample: Sequence[str]) -> str:
    for role, holds in _SHAPES.items():
        share = _share(sample, holds)
        if role == "full_name" and share >= _NAMES_KNOWN and _share(sample, _WORDS_ONLY) >= 0.8:
            return role
        if share >= _NEEDED.get(role, 0.7):
            return role
    return "category" if _is_category(sample) else "text"


def _is_category(sample: Sequence[str]) -> bool:
    """Few values, each of them many times."""
    distinct = len(set(sample))
    return distinct <= 40 and len(sample) >= 5 * distinct


def _named(roles: Mapping[str, str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Field name → its role and columns. The second column of a role is a field of its own, by its place."""
    named: dict[str, tuple[str, tuple[str, ...]]] = {}
    for column, role in roles.items():
        generic = role in ("text", "code", "category", "identifier", "date")
        base = re.sub(r"\W", "_", _column_key(column)) if generic else role
        name, place = base, 1
        while name in named:
            place += 1
            name = f"{base}{place}"
        named[name] = (role, (column,))
    return named


def _split_contacts(named: dict[str, tuple[str, tuple[str, ...]]], rows: Rows) -> None:
    """A column that holds address and phone in one cell, as on Chinese invoices, is both."""
    for role, other in (("phone", "address"), ("address", "phone")):
        if role in named and other not in named:
            column = named[role][1][0]
            sample = [plain(row.get(column)) for row in islice(rows, 200) if row.get(column) is not None]
            if _share(sample, lambda v: _SHAPES["address"](v) and standard("phone", v)) >= 0.7:
                named[other] = (other, (column,))


def _align(named: list[dict[str, tuple[str, tuple[str, ...]]]], tables: Sequence[Rows]) -> None:
    """Where tables keep the same thing in different numbers of columns, the parts are put together in all of them."""
    parts = ("surname", "given_name")
    whole = any("full_name" in table and not {*parts} <= table.keys() for table in named)
    chinese = any(
        has_chinese(str(row.get(table[p][1][0]) or ""))
        for table, rows in zip(named, tables, strict=True)
        for p in parts
        if p in table
        for row in islice(rows, 200)
    )
    for table in named:
        if {*parts} <= table.keys():
            if whole or chinese:
                columns = tuple(c for p in parts for c in table.pop(p)[1])
                table["full_name"] = ("full_name", columns)
            else:
                table.pop("full_name", None)
    shapes = {frozenset(role for role, _ in table.values() if role in ADDRESS) for table in named}
    if len(shapes) > 1 and any(shape == {"address"} for shape in shapes) and all("address" in s for s in shapes):
        for table in named:
            columns = tuple(c for wanted in ADDRESS for role, found in table.values() if role == wanted for c in found)
            for name in [n for n, (role, _) in table.items() if role in ADDRESS]:
                del table[name]
            table["address"] = ("address", columns)


def _neighbours(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Given name and family name beside each other, address lines and texts likewise."""
    found = []
    for field in fields:
        others = [f for f in fields if f.kind == field.kind and f != field and f.role != "middle_name"]
        beside = others[0].name if field.kind in ("name", "address", "text") and others else None
        found.append(replace(field, beside=beside))
    return tuple(found)


def _month_first(values: Sequence[Any]) -> bool:
    """True when some date can only be month/day/year, and none only day/month/year."""
    day_first = month_first = 0
    for value in values:
        if value is not None and (found := re.match(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}", str(value))):
            day_first += int(found[1]) > 12
            month_first += int(found[2]) > 12
    return month_first > day_first
