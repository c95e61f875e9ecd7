"""Units that people and devices write, and exact conversion between those of one dimension."""

from __future__ import annotations

from core.errors import InvalidInput
from core.text import Text

_FACTORS: dict[str, dict[str, float]] = {
    "time": {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "week": 604800, "month": 2592000, "year": 31536000},
    "length": {"mm": 0.001, "cm": 0.01, "m": 1, "km": 1000},
    "mass": {"g": 0.001, "kg": 1, "t": 1000},
    "pressure": {"Pa": 1, "kPa": 1000, "MPa": 1_000_000, "bar": 100_000, "mmHg": 133.322387415},
    "volume": {"ml": 0.001, "L": 1},
    "energy": {"Wh": 0.001, "kWh": 1},
    "share": {"percent": 1, "ratio": 100},
    "money": {"CNY": 1, "万元": 10_000},
    "dollars": {"USD": 1},
    "euros": {"EUR": 1},
    "sugar": {"mmol/L": 1, "mg/dL": 1 / 18.0182},
    "rate": {"bpm": 1},
}

_NAMES: dict[str, tuple[str, ...]] = {
    "ms": ("毫秒", "millisecond", "milliseconds", "msec"),
    "s": ("秒", "秒钟", "sec", "secs", "second", "seconds"),
    "min": ("分", "分钟", "mins", "minute", "minutes"),
    "h": ("小时", "个小时", "钟头", "hr", "hrs", "hour", "hours"),
    "d": ("天", "日", "day", "days"),
    "week": ("周", "星期", "个星期", "礼拜", "w", "weeks"),
    "month": ("月", "个月", "months"),
    "year": ("年", "years", "yr", "yrs"),
    "mm": ("毫米", "millimetre", "millimetres", "millimeter", "millimeters"),
    "cm": ("厘米", "公分"),
    "m": ("米", "metre", "metres", "meter", "meters"),
    "km": ("公里", "千米", "kilometre", "kilometres", "kilometer", "kilometers"),
    "g": ("克", "gram", "grams"),
    "kg": ("千克", "公斤", "kilo", "kilos", "kilogram", "kilograms"),
    "t": ("吨", "tonne", "tonnes", "ton", "tons"),
    "Pa": ("帕",),
    "kPa": ("千帕",),
    "MPa": ("兆帕",),
    "bar": ("巴",),
    "mmHg": ("毫米汞柱",),
    "ml": ("毫升", "mL"),
    "L": ("升", "l", "litre", "litres", "liter", "liters"),
    "Wh": ("瓦时",),
    "kWh": ("千瓦时", "度电"),
    "percent": ("%", "%", "percentage", "百分比"),
    "ratio": ("比例",),
    "CNY": ("元", "块", "块钱", "人民币", "yuan", "RMB", "rmb", "¥", "¥"),
    "万元": (),
    "USD": ("美元", "dollar", "dollars", "$"),
    "EUR": ("欧元", "euro", "euros", "€"),
    "mmol/L": ("毫摩尔每升", "mmol/l"),
    "mg/dL": ("mg/dl",),
    "bpm": ("次/分", "次每分钟"),
}

_CANONICAL = {word: unit for unit, words in _NAMES.items() for word in (unit, *words)}
_DIMENSION = {unit: name for name, units in _FACTORS.items() for unit in units}


class WrongUnit(InvalidInput):
    """A unit of another dimension than the catalog's, or one nobody knows."""

    code = "wrong-unit"


def unit_words() -> dict[str, str]:
    """Every word a unit may be written with → its canonical name."""
    return dict(_CANONICAL)


def canonical(unit: str) -> str:
    """The canonical name of a unit; unknown units stay as they are written (`screens`, `℃`)."""
    return _CANONICAL.get(unit) or _CANONICAL.get(unit.lower()) or unit


def adds_up(unit: str | None) -> bool:
    """True when a total of such values means something (money, time, energy); pressures and rates are averaged."""
    additive = {"time", "length", "mass", "volume", "energy", "money", "dollars", "euros"}
    return unit is None or _DIMENSION.get(canonical(unit)) in additive


def convert(value: float, unit: str, wanted: str | None) -> float:
    """A value in `unit` → the value in `wanted`.

    Raises:
        WrongUnit: the two do not measure the same thing, or the attribute has no unit.
    """
    have, want = canonical(unit), canonical(wanted) if wanted else None
    if have == want:
        return value
    if want is not None and have in _DIMENSION and _DIMENSION[have] == _DIMENSION.get(want):
        factors = _FACTORS[_DIMENSION[have]]
        return round(value * factors[have] / factors[want], 12)
    if want is None:
        raise WrongUnit(
            Text(f"这里不带单位，给出的是 {unit!r}", f"this has no unit, but {unit!r} was given"),
            hint=Text("去掉单位", "Leave the unit out"),
        )
    same = list(_FACTORS.get(_DIMENSION.get(want, ""), {want: 1}))
    raise WrongUnit(
        Text(f"单位 {unit!r} 与 {want!r} 不是一类", f"unit {unit!r} does not measure what {want!r} measures"),
        nearest=[want, *(u for u in same if u != want)],
    )
