"""Rows of events → what the loop reads: in order, under the subjects they count for, values told apart, cells found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from knowledge.catalog import Catalog
from strategy.columnar import codes as c
from strategy.columnar.columns import Columns, Layout
from strategy.columnar.plan import Tables
from strategy.columnar.prepare import RAW, expand, find_cells, in_order, read_values, settle_ties, value_bits
from strategy.columnar.shard import Prepared
from strategy.columnar.strings import Strings, grown

Numbers = NDArray[Any]


class Ready:
    """Keeps the texts that fields have held, and which cell each falls into."""

    def __init__(self, tables: Tables, layout: Layout, catalog: Catalog) -> None:
        self.texts = Strings()
        self._tables = tables
        self._layout = layout
        self._zone = catalog.timezone
        self._groups, self._prefixes = _groups(catalog, layout)
        self._code_rows = np.full((512, 1), -1, np.int32)
        self._code_kind = np.zeros(512, np.uint8)
        self._code_value = np.zeros(512, np.int64)
        self._code_number = np.zeros(512, np.float64)
        self._told = 0
        """Codes below this have had their kind found."""
        self._versions: dict[tuple[int, int], int] = {}
        self._width = max(1, layout.width)

    def nothing(self) -> tuple[Prepared, Numbers, Numbers]:
        """No rows at all."""
        w, none = self._width, np.zeros(0, np.int64)
        two = np.zeros((0, w), np.int64)
        ready = Prepared(
            none, two, np.zeros((0, w), np.uint8), two, np.zeros((0, w)), two, np.zeros((0, 4), np.int64), none,
            np.zeros(0, np.uint8), none, np.zeros(0, np.int32),
        )  # fmt: skip
        return ready, none, none

    def prepare(
        self, rows: Columns, subject: Numbers, order: Numbers, names: Strings, met: Callable[[], None]
    ) -> tuple[Prepared, Numbers, Numbers]:
        """Args:
            subject: codes, one a row. order: the rows it is about, by time. names: the subjects; groups are added.
            met: called when some may have been added.

        Returns:
            The rows in order, their times, and the subjects they count for.
        """
        tables = self._tables
        source, who = order, subject[order]
        if len(self._groups):
            source, who = self._expand(rows, subject, order, names)
            met()
        chan = tables.channel_places[rows.type[source], tables.kind_of_code[who]]
        time = rows.time[source]
        if not in_order(time):
            by_time = np.argsort(time, kind="stable")
            source, who, chan, time = source[by_time], who[by_time], chan[by_time], time[by_time]
        places = np.arange(len(source))
        settle_ties(
            places, time, who, rows.text, rows.id_at[source], rows.id_len[source], rows.source_at[source],
            rows.source_len[source],
        )  # fmt: skip
        source, who, chan, time = source[places], who[places], chan[places], time[places]
        n, w = len(source), self._width
        kind, value, number = np.zeros((n, w), np.uint8), np.zeros((n, w), np.int64), np.zeros((n, w))
        sums, codes, cells = np.zeros((n, w), np.int64), np.zeros((n, w), np.int64), np.zeros((n, w), np.int64)
        texts = self.texts
        texts.room(n * w, int(rows.len[source].sum()))
        self._room()
        while True:
            read_values(
                source, rows.type, rows.kind, rows.number, rows.at, rows.len, rows.text, tables.wanted, texts.slots,
                texts.spans, texts.hashes, texts.blob, texts.head, self._code_kind, self._code_value, self._code_number,
                kind, value, number, sums, codes,
            )  # fmt: skip
            if not self._tell():
                break
        self._cells(chan, kind, number, value, codes, cells)
        periods = self._periods(time) if tables.periods else np.zeros((0, 4), np.int64)
        ready = Prepared(
            chan, cells, kind, value, number, sums, periods, subject[source], rows.text, rows.id_at[source],
            rows.id_len[source],
        )  # fmt: skip
        return ready, time, who

    def _expand(self, rows: Columns, subject: Numbers, order: Numbers, names: Strings) -> tuple[Numbers, Numbers]:
        """Each row once for its own subject, and once for every group it names."""
        most = len(order) * (1 + len(self._groups))
        names.room(most, int(rows.len[order].sum()) + most * 64)
        source, who = np.zeros(most, np.int64), np.zeros(most, np.int64)
        n = expand(
            order, subject, rows.type, rows.kind, rows.number, rows.at, rows.len, rows.text, self._groups,
            self._prefixes, names.slots, names.spans, names.hashes, names.blob, names.head, source, who,
        )  # fmt: skip
        return source[:n], who[:n]

    def _room(self) -> None:
        need = len(self.texts.spans)
        self._code_kind = grown(self._code_kind, need)
        self._code_value = grown(self._code_value, need)
        self._code_number = grown(self._code_number, need)
        slots = max(1, self._tables.slots)
        if need > len(self._code_rows) or slots > self._code_rows.shape[1]:
            larger = np.full((max(need, len(self._code_rows)), slots), -1, np.int32)
            larger[: len(self._code_rows), : self._code_rows.shape[1]] = self._code_rows
            self._code_rows = larger

    def _tell(self) -> bool:
        """Find the kinds of raw values that are new; whether there were any."""
        fresh = [code for code in range(self._told, len(self.texts)) if self.texts.space(code) >= RAW]
        self._told = len(self.texts)
        for code in fresh:
            value = json.loads(self.texts.raw(code))
            space = self.texts.space(code) - RAW
            if isinstance(value, int | float) and not isinstance(value, bool):
                huge = isinstance(value, int) and (abs(value) >= 2**63 or int(float(value)) != value)
                self._code_kind[code] = c.V_HUGE if huge else c.V_NUMBER
                self._code_number[code] = float(value) if not huge else 0.0
                self._code_value[code] = value_bits(float(value)) if not huge else 0
            else:
                plain = self.texts.code(json.dumps(value, sort_keys=True), space)
                self._room()
                self._code_kind[code] = c.V_OTHER
                self._code_value[code] = int(c.V_TEXT) + plain
        self._told = len(self.texts)
        return bool(fresh)

    def _cells(
        self, chan: Numbers, kind: Numbers, number: Numbers, value: Numbers, codes: Numbers, cells: Numbers
    ) -> None:
        tables = self._tables
        tables.lay()
        for channel in tables.channels:
            for place, found in enumerate(channel.index.fields):
                if self._versions.get((channel.number, place)) != found.version:
                    self._versions[channel.number, place] = found.version
                    space = channel.type * tables.wanted.shape[1] + found.column
                    spaces = self.texts.spans[: len(self.texts), 2]
                    mine = np.flatnonzero((spaces == space) | (spaces == space + RAW))
                    self._code_rows[mine, channel.slot] = -1
        missing = np.zeros((8192, 2), np.int64)
        while True:
            n = find_cells(
                chan, tables.channel_table, tables.field_table, tables.bounds.array, self._code_rows, kind, number,
                value, codes, cells, missing,
            )  # fmt: skip
            if n == 0:
                return
            for code, field in {tuple(pair) for pair in missing[: min(n, len(missing))].tolist()}:
                place, slot, channel = (
                    tables.field_table[field, 5],
                    tables.field_table[field, 6],
                    tables.channel_of(field),
                )
                raw = self.texts.raw(code)
                seen = json.loads(raw) if self.texts.space(code) >= RAW else raw.decode("utf-8", "surrogatepass")
                self._code_rows[code, slot] = tables.text_row(channel, int(place), seen)
            tables.lay()

    def _periods(self, time: Numbers) -> Numbers:
        """The local day, night, week and month of each moment, numbered as `calendars.period` does."""
        local = pl.Series(time).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self._zone)
        day = local.dt.date().cast(pl.Int64).to_numpy() + 719_163
        night = day - (local.dt.hour().to_numpy() < 12)
        month = local.dt.year().cast(pl.Int64).to_numpy() * 12 + local.dt.month().cast(pl.Int64).to_numpy()
        return np.stack([day, night, (day - 1) // 7, month], axis=1).astype(np.int64)

    def value(self, bits: int) -> Any:
        """The value that bits stand for."""
        if bits < c.NAN or bits < 0:
            number = float(np.int64(bits).view(np.float64))
            return int(number) if number.is_integer() else number
        if bits < c.V_TEXT:
            return bits == c.V_TRUE
        return self.texts.text(bits - int(c.V_TEXT))


def _groups(catalog: Catalog, layout: Layout) -> tuple[Numbers, Numbers]:
    """The groups that events name, for `prepare.expand`: (type, column, where its kind is told, how long that is)."""
    found: list[tuple[int, int, int, int]] = []
    prefixes = bytearray(b"/")
    for place, name in enumerate(layout.types):
        for kind, field in catalog.events[name].groups.items():
            told = f"{kind}/".encode()
            found.append((place, layout.fields[place].index(field), len(prefixes), len(told)))
            prefixes += told
    return np.array(found, np.int64).reshape(-1, 4), np.frombuffer(prefixes, np.uint8)
