"""Where rows come from: the tables of a folder, of a workbook, of a database. Each knows its name, its place, and how
to read its rows with the line or row each stands on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.text import Text
from knowledge.sources.rows import TEXT_FORMATS, Row, read_rows, rows_of_values

SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_DATABASES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `name` is unique among those found together; `place` is the file or database address, `part` the sheet
    or table in it."""

    name: str
    place: str
    part: str | None = None
    held: tuple[Row, ...] | None = None
    """The rows, where somebody else has read them; `mark` is then the digest of their file."""
    mark: str = ""

    @property
    def file(self) -> str:
        return Path(self.place).name if "://" not in self.place else self.place.rsplit("/", 1)[-1]

    def digest(self) -> str:
        """SHA-256 of the file; empty for a database, whose rows are compared one by one."""
        path = Path(self.place)
        if self.held is not None or "://" in self.place or path.suffix.lower() in _DATABASES:
            return self.mark
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def rows(self) -> Iterator[Row]:
        """
        Raises:
            InvalidInput: the file or table cannot be read.
        """
        if self.held is not None:
            return iter(self.held)
        if "://" in self.place or Path(self.place).suffix.lower() in _DATABASES:
            return _sql_rows(self.place, self.part or "")
        if Path(self.place).suffix.lower() in SHEETS:
            return _sheet_rows(Path(self.place), self.part)
        return read_rows(Path(self.place))


def find_tables(place: str) -> list[Table]:
    """The tables at a place: a folder (with those below it), a file, or a SQLAlchemy address; by name.

    Raises:
        InvalidInput: there is nothing that can be read.
    """
    if "://" in place:
        return _named([Table(name, place, name) for name in _sql_tables(place)])
    path = Path(place)
    if not path.exists():
        raise InvalidInput(Text("没有这个文件或目录", "there is no such file or folder"), where={"file": place})
    files = sorted(f for f in path.rglob("*") if _readable(f)) if path.is_dir() else [path]
    found = [table for file in files for table in _tables_of(file)]
    if not found:
        raise InvalidInput(
            Text("目录里没有能读的表", "the folder has no table that can be read"),
            where={"file": place},
            nearest=[*TEXT_FORMATS, *SHEETS, *_DATABASES],
        )
    return _named(found)


def _readable(file: Path) -> bool:
    known = (*TEXT_FORMATS, *SHEETS, *_DATABASES)
    return file.is_file() and not file.name.startswith((".", "~$")) and file.suffix.lower() in known


def _tables_of(file: Path) -> list[Table]:
    ending = file.suffix.lower()
    if ending in _DATABASES:
        return [Table(name, str(file), name) for name in _sql_tables(str(file))]
    if ending in SHEETS:
        sheets = _sheet_names(file)
        return [Table(file.stem if len(sheets) == 1 else name, str(file), name) for name in sheets]
    return [Table(file.stem, str(file))]


def _named(tables: list[Table]) -> list[Table]:
    """Names that several tables have are told apart by their files, then by number."""
    names = [t.name for t in tables]
    told = [t if names.count(t.name) == 1 else Table(f"{Path(t.place).stem}.{t.name}", t.place, t.part) for t in tables]
    seen: dict[str, int] = {}
    apart = []
    for table in told:
        seen[table.name] = seen.get(table.name, 0) + 1
        name = table.name if seen[table.name] == 1 else f"{table.name}.{seen[table.name]}"
        apart.append(Table(name, table.place, table.part))
    return sorted(apart, key=lambda t: t.name)


def _sheet_names(file: Path) -> list[str]:
    import fastexcel

    try:
        return [str(name) for name in fastexcel.read_excel(file).sheet_names]
    except fastexcel.FastExcelError as cause:
        raise InvalidInput(
            Text(f"读不了工作簿：{cause}", f"the workbook cannot be read: {cause}"), where={"file": str(file)}
        ) from cause


def _sheet_rows(file: Path, sheet: str | None) -> Iterator[Row]:
    import fastexcel
    import polars as pl

    try:
        name = sheet or _sheet_names(file)[0]
        frame = pl.read_excel(file, sheet_name=name, engine="calamine", drop_empty_rows=False, raise_if_empty=False)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as cause:
        raise InvalidInput(
            Text(f"读不了工作表：{cause}", f"the sheet cannot be read: {cause}"), where={"file": str(file)}
        ) from cause
    yield from rows_of_values(frame.iter_rows(named=True), first=2)


def _address(place: str) -> str:
    return place if "://" in place else f"sqlite:///{place}"


def _sql_tables(place: str) -> list[str]:
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(_address(place))
        try:
            looked = inspect(engine)
            return sorted([*looked.get_table_names(), *looked.get_view_names()])
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as cause:
        raise _no_database(place, cause) from cause


def _sql_rows(place: str, table: str) -> Iterator[Row]:
    from sqlalchemy import MetaData, create_engine, select
    from sqlalchemy import Table as SqlTable
    from sqlalchemy.exc import SQLAlchemyError

    engine = create_engine(_address(place))
    try:
        described = SqlTable(table, MetaData(), autoload_with=engine)
        keys = list(described.primary_key.columns)
        with engine.connect() as connection:
            found = connection.execution_options(stream_results=True).execute(select(described).order_by(*keys))
            records: Iterator[dict[str, Any]] = (dict(row._mapping) for row in found)
            yield from rows_of_values(records, first=1)
    except SQLAlchemyError as cause:
        raise _no_database(place, cause) from cause
    finally:
        engine.dispose()


def _no_database(place: str, cause: Exception) -> InvalidInput:
    # The address may hold a password: only what follows the host is named.
    return InvalidInput(
        Text(f"读不了数据库：{type(cause).__name__}", f"the database cannot be read: {type(cause).__name__}"),
        where={"file": place.rsplit("@", 1)[-1]},
    )
