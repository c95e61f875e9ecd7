"""A catalog's names as people write them, beside the fixed words, in one tree that is walked atom by atom. Built once a
catalog: labels and synonyms of both languages and ids, word order turned round, and unambiguous shortenings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, Literal

from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute, Labels
from knowledge.catalog.units import canonical, unit_words
from strategy.language.atoms import Atom, atoms_of, keys_of
from strategy.language.normalise import plain
from strategy.language.numerals import english_number
from strategy.language.vocabulary import Word, fixed_words

NameKind = Literal[
    "object", "event", "field", "attribute", "metric", "forecast", "place", "action", "relation", "value"
]


@dataclass(frozen=True, slots=True)
class Name:
    """A thing of the catalog. `owner`: the event of a field, the object of an attribute; for a value of an enum, that
    owner, with `item` the field or attribute and `of` which of the two it is."""

    kind: NameKind
    id: str
    owner: str = ""
    item: str = ""
    of: Literal["", "field", "attribute"] = ""

    @property
    def exact(self) -> str:
        """The name as written between backticks: unmistakable in any catalog."""
        return f"{self.kind}:" + "/".join(p for p in (self.owner, self.item, self.id) if p)


@dataclass(slots=True)
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)
    ids: list[Name] = field(default_factory=list)
    """Named so by their id alone, which gives way to anything labelled so."""
    weak: list[Name] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Match:
    """What the atoms up to `stop` may mean; `weak` when they are only a part of a catalog name."""

    stop: int
    words: tuple[Word, ...]
    names: tuple[Name, ...]
    weak: bool


_USUAL_WORDS = {
    "customer": ("客户", "用户", "会员", "顾客"),
    "device": ("设备",),
    "store": ("门店",),
    "order": ("订单",),
    "contract": ("合同",),
    "product": ("产品", "商品"),
    "region": ("区域", "地区"),
    "vehicle": ("车辆",),
    "account": ("账户",),
    "student": ("学员", "学生"),
    "patient": ("患者", "病人"),
    "employee": ("员工",),
}
_SKIPPED = frozenset(["a", "an", "the", "their", "his", "her", "its", "了", "过", "的"])
_DANGLING = frozenset(["a", "an", "the", "to", "of", "on", "in", "at", "for", "by", "with", "from", "的", "了"])
_TAILS = ("时长", "时间", "日期", "日", "数量", "数", "量", "金额", "额", "值", "指数", "时")
_NO_WEAK = frozenset(
    ["客户", "用户", "设备", "会员", "公司", "产品", "服务", "消息", "信息", "时间", "次数", "金额", "数量"]
)


_CHANGES = ("RISE", "DROP", "DOUBLE", "HALVE")


class Lexicon:
    """Everything that may be said over one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.root = _Node()
        self.shown: dict[str, list[Name]] = {}
        """A label or id as people see it → what it names; for "nearest" and for ambiguity."""
        self._labels: dict[tuple[str, ...], set[Name]] = {}
        self._spelled: dict[tuple[str, ...], set[Name]] = {}
        """Labels letter for letter, as texts of atoms: "balance" is not "balanced"."""
        self.object_words: dict[Name, set[str]] = {}
        self.exact: dict[str, Name] = {}
        """`kind:owner/id` → the name, for readbacks of what no label names unmistakably."""
        for keys, word in _fixed_keys():
            self._node(keys).words.append(word)
        for unit in catalog_units(catalog):
            node = self._node(keys_of(plain(unit)))
            if not any(w.kind == "UNIT" for w in node.words):
                node.words.append(Word("UNIT", unit))
        for name, labels in _catalog_names(catalog):
            self._add_name(name, labels)
            self.exact[name.exact] = name
        self._tails: dict[str, list[tuple[str, ...]]] = {}
        for keys, named in self._labels.items():
            words = tuple(k for k in keys if k not in _SKIPPED)
            if len(words) > 1 and words[0].isascii() and any(n.kind == "event" for n in named):
                self._tails.setdefault(words[0], []).append(words[1:])
        self._add_usual_words()
        self._add_turned()
        self._add_weak()

    def match(self, atoms: list[Atom], start: int) -> Iterator[Match]:
        """Every vocabulary entry that begins at atom `start`; articles and 了/过/的 inside a name do not count."""
        stack = [(start, self.root, False)]
        while stack:
            at, node, skipped = stack.pop()
            if at > start:
                words = () if skipped else tuple(node.words)
                names = node.names or ([] if words else node.ids)  # a value with the id "on" is not every "on"
                if words or names or node.weak:
                    names, words = self._as_spelled(tuple(a.text for a in atoms[start:at]), names, words)
                    yield Match(at, words, tuple(names or node.weak), not names and bool(node.weak))
            if at >= len(atoms):
                continue
            if child := node.next.get(atoms[at].key):
                stack.append((at + 1, child, skipped))
            elif at > start and at + 1 < len(atoms) and (atoms[at].text in _SKIPPED or atoms[at].text == "-"):
                child = node.next.get(atoms[at + 1].key)
                if child:
                    stack.append((at + 2, child, skipped or atoms[at].text != "-"))

    def event_tails(self, key: str) -> list[tuple[str, ...]]:
        """What follows this word in labels of events: "class" after "miss", for "miss a class"."""
        return self._tails.get(key, [])

    def is_flag(self, keys: tuple[str, ...]) -> bool:
        """A label of something that is either so or not."""
        return any(
            (n.kind == "attribute" and (a := self.catalog.attribute(n.owner, n.id)) is not None and a.type == "boolean")
            or (n.kind == "field" and (a := self.catalog.field(n.owner, n.id)) is not None and a.type == "boolean")
            for n in self._labels.get(keys, ())
        )

    def is_date(self, keys: tuple[str, ...]) -> bool:
        """A label of an attribute that is a day."""
        found = (self.catalog.attribute(n.owner, n.id) for n in self._labels.get(keys, ()) if n.kind == "attribute")
        return any(a is not None and a.type == "date" for a in found)

    def is_event(self, keys: tuple[str, ...], noun: int) -> bool:
        """A label of an event, of which its first so many words by themselves name none."""
        said, alone = (self._labels.get(each, ()) for each in (keys, keys[:noun]))
        return any(n.kind == "event" for n in said) and not any(n.kind == "event" for n in alone)

    def _as_spelled(
        self, said: tuple[str, ...], names: list[Name], words: tuple[Word, ...]
    ) -> tuple[list[Name], tuple[Word, ...]]:
        """Names written just so come before those that only share a stem, also before words of change ("declined")."""
        exact = self._spelled.get(said)
        if not exact or not (found := [n for n in names if n in exact]):
            return names, words
        plain_words = tuple(w for w in words if w.kind not in _CHANGES or said in _spelled_changes())
        return found, plain_words

    def knows(self, key: str) -> bool:
        """A catalog name or fixed word begins with this atom."""
        return key in self.root.next

    def names_alone(self, key: str) -> bool:
        """The atom by itself is a catalog name, or part of one."""
        node = self.root.next.get(key)
        return bool(node and (node.names or node.ids or node.weak))

    def labels(self, kinds: Iterable[NameKind]) -> list[str]:
        """Every label of names of these kinds, for "nearest"."""
        wanted = set(kinds)
        return [label for label, names in self.shown.items() if any(n.kind in wanted for n in names)]

    def labelled(self, keys: tuple[str, ...]) -> tuple[Name, ...]:
        """What has exactly this label."""
        return tuple(self._labels.get(keys, ()))

    def label(self, name: Name, lang: str) -> str:
        """The first label of a name that means nothing else of its kind, else its id."""
        for label in _labels_of(self.catalog, name, lang):
            same = self._labels.get(keys_of(plain(label)), set())
            if all(n == name or not _rivals(n, name) for n in same):
                return label
        return f"`{name.exact}`"

    def _node(self, keys: Iterable[str]) -> _Node:
        node = self.root
        for key in keys:
            node = node.next.setdefault(key, _Node())
        return node

    def _add_name(self, name: Name, labels: Labels) -> None:
        for label in [*labels.all(), name.id]:
            keys = keys_of(plain(label))
            if not keys:
                continue
            node = self._node(keys)
            known = node.ids if label == name.id and label not in labels.all() and labels.all() else node.names
            if name not in known:
                known.append(name)
            self._spelled.setdefault(tuple(a.text for a in atoms_of(plain(label))), set()).add(name)
            self._labels.setdefault(keys, set()).add(name)
            if label != name.id or not labels.all():
                self.shown.setdefault(label, []).append(name)
            self.object_words.setdefault(name, set()).update(keys)
            if len(keys) == 2 and keys[1] in ("in", "out", "up", "off", "on"):
                self._labels.setdefault((keys[0] + keys[1],), set()).add(name)
                joined = self._node([keys[0] + keys[1]])
                if name not in joined.names:
                    joined.names.append(name)

    def _add_usual_words(self) -> None:
        """An object that the catalog only mentions by its id is still called what everyone calls it (device: 设备)."""
        for object_id, kind in self.catalog.objects.items():
            words = _USUAL_WORDS.get(object_id, ())
            if any(label != object_id for label in kind.labels.all()):
                continue
            for word in words:
                node = self._node(keys_of(plain(word)))
                if not node.names:
                    node.names.append(Name("object", object_id))
        self.ages = [n for k in (("年", "龄"), ("age",)) for n in self._labels.get(k, ()) if n.kind == "attribute"]
        """What "65岁以上" and "aged 65 or more" speak about."""
        self.ages = list(dict.fromkeys(self.ages))
        self._node(keys_of("aged")).names.extend(self.ages)

    def _add_turned(self) -> None:
        """ "APP登录" is said "登录APP", "order placed" is said "placed an order"."""
        for keys, names in list(self._labels.items()):
            events = [n for n in names if n.kind == "event"]
            if not events or len(keys) < 2 or "." in keys or "_" in keys:
                continue
            for cut in range(1, len(keys)):
                if min(_weight(keys[:cut]), _weight(keys[cut:])) < 2:
                    continue
                turned = (*keys[cut:], *keys[:cut])
                if turned[0] in _DANGLING:
                    continue
                node = self._node(turned)
                if turned not in self._labels and not node.words:
                    node.names.extend(n for n in events if n not in node.names)

    def _add_weak(self) -> None:
        """Parts of labels: 官网停留 for 官网停留时长, 邮件 for 营销邮件, 解决 for 解决投诉."""
        for keys, names in self._labels.items():
            if "." in keys or "_" in keys:
                continue
            for short in _shortened(keys):
                text = "".join(short)
                fielded = text == "金额" and all(n.kind == "field" for n in names)
                if (
                    _weight(short) < 2
                    or (text in _NO_WEAK and not fielded)
                    or short in self._labels
                    or {short[0], short[-1]} & _DANGLING
                    or english_number(short) is not None
                ):
                    continue
                node = self._node(short)
                if node.words or node.names or node.ids:
                    continue
                rest = keys[len(short) :] if keys[: len(short)] == short else ()
                for name in names:
                    amount = rest == () and keys[-len(short) - 1][0].isdigit()
                    if name.kind == "action" and amount:  # 1 | GB of data
                        continue
                    verb = name.kind == "event" and bool(rest) and _stands_alone(short)
                    if (verb or _may_shorten(name, keys, short)) and name not in node.weak:
                        node.weak.append(name)


@lru_cache(maxsize=1)
def _spelled_changes() -> frozenset[tuple[str, ...]]:
    return frozenset(
        tuple(a.text for a in atoms_of(plain(text))) for text, word in fixed_words() if word.kind in _CHANGES
    )


def _rivals(one: Name, two: Name) -> bool:
    """Could both be meant in one place? Fields are read beside their event, values beside what they are values of."""
    if one.kind != two.kind:
        return False
    if one.kind in ("field", "value"):
        return (one.owner, one.item) == (two.owner, two.item)
    return True


def _weight(keys: tuple[str, ...]) -> int:
    """How much a part of a label says: a Chinese character 1, an English word 2 (particles and short words 0)."""
    return sum(1 if not k[0].isascii() else (2 if len(k) >= 3 and k.isalpha() else 0) for k in keys)


def _stands_alone(head: tuple[str, ...]) -> bool:
    """The verb of a label such as 浏览商品 or "view a product" may be said alone; a particle may not."""
    return all(not k[0].isascii() for k in head) or (len(head) == 1 and len(head[0]) >= 4)


def _shortened(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Tails, heads, and both without a general ending such as 时长."""
    text = "".join(keys)
    variants = [keys]
    if not text.isascii():
        variants += [keys[: -len(tail)] for tail in _TAILS if text.endswith(tail) and len(keys) > len(tail)]
    seen = {keys}
    for variant in variants:
        for cut in range(len(variant)):
            for short in (variant[cut:], variant[: len(variant) - cut]):
                if short and short not in seen:
                    seen.add(short)
                    yield short


def _may_shorten(name: Name, keys: tuple[str, ...], short: tuple[str, ...]) -> bool:
    """Names may lose their head (营销邮件 → 邮件); only some may lose their tail, where the tail says little."""
    tail = keys[-len(short) :] == short
    if name.kind in ("event", "metric", "forecast"):
        return tail
    if name.kind in ("attribute", "field"):
        chinese = not "".join(keys).isascii()
        return (
            tail
            or (chinese and any("".join(keys).removesuffix(t).endswith("".join(short)) for t in _TAILS))
            or (chinese and any("".join(keys).removesuffix(t) == "".join(short) for t in _TAILS))
        )
    return name.kind in ("place", "value", "action")


@lru_cache(maxsize=1)
def _fixed_keys() -> tuple[tuple[tuple[str, ...], Word], ...]:
    entries = [(keys_of(plain(text)), word) for text, word in fixed_words()]
    units = unit_words()
    entries += [(keys_of(plain(text)), Word("UNIT", unit)) for text, unit in units.items()]
    return tuple(dict.fromkeys(entries))


def _catalog_names(catalog: Catalog) -> Iterator[tuple[Name, Labels]]:
    for object_id, kind in catalog.objects.items():
        yield Name("object", object_id), kind.labels
        yield from _attribute_names(kind.attributes, "attribute", object_id)
    for event_id, event in catalog.events.items():
        yield Name("event", event_id), event.labels
        yield from _attribute_names(event.fields, "field", event_id)
    for metric_id, metric in catalog.metrics.items():
        yield Name("metric", metric_id), metric.labels
    for forecast_id, forecast in catalog.forecasts.items():
        yield Name("forecast", forecast_id), forecast.labels
    for place_id, place in catalog.places.items():
        yield Name("place", place_id), place.labels
    for action_id, action in catalog.actions.items():
        yield Name("action", action_id), action.labels
    for relation_id, relation in catalog.relations.items():
        yield Name("relation", relation_id), relation.labels


def _attribute_names(
    attributes: dict[str, Attribute], kind: Literal["attribute", "field"], owner: str
) -> Iterator[tuple[Name, Labels]]:
    for item, attribute in attributes.items():
        yield Name(kind, item, owner), attribute.labels
        for value, labels in attribute.values.items():
            yield Name("value", value, owner, item, kind), labels


def _labels_of(catalog: Catalog, name: Name, lang: str) -> list[str]:
    holder: Any = None
    if name.kind == "value":
        source = catalog.attribute if name.of == "attribute" else catalog.field
        found = source(name.owner, name.item)
        holder = found.values.get(name.id) if found else None
        labels = holder
    else:
        tables: dict[str, Any] = {
            "object": catalog.objects,
            "event": catalog.events,
            "metric": catalog.metrics,
            "forecast": catalog.forecasts,
            "place": catalog.places,
            "action": catalog.actions,
            "relation": catalog.relations,
        }
        if name.kind == "attribute":
            holder = catalog.attribute(name.owner, name.id)
        elif name.kind == "field":
            holder = catalog.field(name.owner, name.id)
        else:
            holder = tables[name.kind].get(name.id)
        labels = holder.labels if holder else None
    if labels is None:
        return []
    return [*labels.zh, *labels.en] if lang == "zh" else [*labels.en, *labels.zh]


_lexicons: OrderedDict[int, Lexicon] = OrderedDict()
_lexicons_lock = Lock()


def lexicon_of(catalog: Catalog) -> Lexicon:
    """The catalog's lexicon, built at first use; the last sixteen are kept, each with its catalog."""
    with _lexicons_lock:
        found = _lexicons.get(id(catalog))
        if found is None:
            found = _lexicons[id(catalog)] = Lexicon(catalog)
            while len(_lexicons) > 16:
                _lexicons.popitem(last=False)
        _lexicons.move_to_end(id(catalog))
        return found


def names_of(catalog: Catalog) -> list[str]:
    """Every label of the catalog, as people see it."""
    return list(lexicon_of(catalog).shown)


def catalog_units(catalog: Catalog) -> set[str]:
    """Units that only this catalog uses (screens, ℃)."""
    units = [a.unit for o in catalog.objects.values() for a in o.attributes.values()]
    units += [f.unit for e in catalog.events.values() for f in e.fields.values()]
    units += [m.unit for m in catalog.metrics.values()] + [f.unit for f in catalog.forecasts.values()]
    return {canonical(u) for u in units if u}
