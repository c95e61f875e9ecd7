"""Made-up Chinese customers and companies as several systems write them, with the true entity of each record:
families under one phone and address, homophones, traditional characters, masked numbers, extensions, addresses long
and short."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache
from typing import Any

from pypinyin import lazy_pinyin

from knowledge.identity import Table

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程"
    "魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝"
    "龚邵万钱严"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞红玲建国文辉力斌波宇浩凯健俊帆帅旭"
    "宁欣怡佳慧颖琳雪梅婷晶莹倩璐瑶萱涵梓轩子睿晨曦诗雨思彤嘉怡泽楷博文昊天瑞祥成龙志鹏海燕春"
    "兰晓东小红丹丹云凤仙爱民卫国庆生金宝福贵德明永强立新正义学友少华家豪振宇佩玲淑贞雅婷"
)
CITIES = [
    ("广东", "深圳", "南山福田罗湖宝安"), ("广东", "广州", "天河越秀海珠番禺"), ("浙江", "杭州", "西湖滨江余杭上城"),
    ("江苏", "南京", "玄武秦淮鼓楼建邺"), ("江苏", "苏州", "姑苏吴中虎丘相城"), ("四川", "成都", "武侯锦江青羊成华"),
    ("湖北", "武汉", "武昌洪山江汉汉阳"), ("山东", "青岛", "市南市北崂山李沧"), ("陕西", "西安", "雁塔碑林莲湖未央"),
    ("福建", "厦门", "思明湖里集美海沧"),
]  # fmt: skip
ROADS = [
    "人民", "中山", "解放", "建设", "和平", "新华", "文化", "科技", "学府", "滨河",
    "长江", "黄河", "北京", "上海", "朝阳", "幸福", "光明", "民主", "胜利", "友谊",
]  # fmt: skip
ESTATES = [
    "阳光花园", "翠湖小区", "金色家园", "东方名城", "绿地国际", "万科城", "碧桂园", "丽景湾", "世纪新城", "锦绣华庭",
]  # fmt: skip
TRADES = [
    "科技", "贸易", "实业", "网络科技", "信息技术", "电子", "商贸", "机械", "建筑工程", "医疗器械",
    "物流", "食品", "生物科技", "环保科技",
]  # fmt: skip
BRAND = "华兴盛达恒通瑞丰金泰宏远鑫源博联创安顺天成海纳百川中正德信嘉利永昌东升凯旋龙腾飞跃启明卓越众合汇智诚隆立新"
_BACK = dict(
    zip(
        "张刘陈杨黄赵吴孙马罗郑谢许韩冯邓叶苏卢蒋贾陆范韦龙国军伟强华丽飞红云凤宝东学义贵龚严万钱",
        "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧葉蘇盧蔣賈陸範韋龍國軍偉強華麗飛紅雲鳳寶東學義貴龔嚴萬錢",
        strict=True,
    )
)
Labelled = tuple[list[Table], list[object]]
Row = dict[str, Any]


@cache
def _homophones() -> dict[str, str]:
    sounds: defaultdict[str, str] = defaultdict(str)
    for character in dict.fromkeys(GIVEN):
        sounds[lazy_pinyin(character)[0]] += character
    return {c: others.replace(c, "") for others in sounds.values() for c in others}


class _Scribe:
    """How systems write things down: each method gives one spelling of a value."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def name(self, name: str) -> str:
        if self.chance(0.06):
            at = self.dice.randrange(1, len(name))
            if others := _homophones().get(name[at]):
                name = name[:at] + self.dice.choice(others) + name[at + 1 :]
        name = self.traditional(name, 0.12)
        if self.chance(0.04):
            name = f"{name[0]} {name[1:]}"
        return name + (self.dice.choice(["先生", "女士"]) if self.chance(0.03) else "")

    def traditional(self, text: str, share: float) -> str:
        return "".join(_BACK.get(c, c) for c in text) if self.chance(share) else text

    def phone(self, phone: str) -> str | None:
        if self.chance(0.1):
            return None
        if self.chance(0.18):
            return f"{phone[:3]}****{phone[-4:]}"
        if self.chance(0.03):
            at = self.dice.randrange(3, 10)
            phone = phone[:at] + phone[at + 1] + phone[at] + phone[at + 2 :]
        return self.dice.choice(
            [
                *(phone, phone, f"+86 {phone}", f"86-{phone}"),
                *(f"{phone[:3]}{gap}{phone[3:7]}{gap}{phone[7:]}" for gap in " -"),
            ]
        )

    def landline(self, number: str, extension: str) -> str | None:
        if self.chance(0.12):
            return None
        area, main = number[:-8], number[-8:]
        written = self.dice.choice(
            [f"{area}-{main}", f"({area}){main}", f"{area}{main}", main, f"+86 {area[1:]} {main}"]
        )
        if extension and self.chance(0.6):
            written += self.dice.choice(["转", "-", " ext. ", "x", " 分机"]) + extension
        return written

    def address(self, home: tuple[str, ...]) -> str | None:
        if self.chance(0.12):
            return None
        province, city, district, road, number, estate, block, room = home
        head = self.dice.choice(
            [
                *(f"{province}省{city}市{district}区", f"{city}市{district}区", f"{province}{city}{district}"),
                *(f"{city}{district}区", f"{province}省 {city}市 {district}区 "),
            ]
        )
        street = f"{road}路{number}号" if not self.chance(0.15) else ""
        unit = self.dice.choice([f"{block}栋{room}室", f"{block}幢{room}", f"{block}-{room}", f"{block}号楼{room}室"])
        return head + street + (estate if not street or not self.chance(0.25) else "") + unit

    def date(self, date: tuple[int, int, int]) -> str | None:
        if self.chance(0.25):
            return None
        year, month, day = date
        if self.chance(0.02) and day <= 12:
            month, day = day, month
        if self.chance(0.02):
            year += self.dice.choice([-10, -1, 1, 10])
        return self.dice.choice(
            [
                f"{year}-{month:02}-{day:02}",
                f"{year}/{month}/{day}",
                f"{year}年{month}月{day}日",
                f"{year}{month:02}{day:02}",
            ]
        )

    def mail(self, mail: str) -> str | None:
        return None if self.chance(0.45) else mail.upper() if self.chance(0.1) else mail


def _home(dice: random.Random) -> tuple[str, ...]:
    province, city, districts = dice.choice(CITIES)
    at = dice.randrange(len(districts) // 2) * 2
    street = (dice.choice(ROADS), str(dice.randrange(1, 400)), dice.choice(ESTATES))
    return (province, city, districts[at : at + 2], *street, str(dice.randrange(1, 30)), _room(dice))


def _room(dice: random.Random) -> str:
    return f"{dice.randrange(1, 31)}0{dice.randrange(1, 7)}"


def _mobile(dice: random.Random) -> str:
    return f"1{dice.choice('3578')}{dice.randrange(10**9):09}"


def people(families: int, seed: int) -> Labelled:
    """Households of one to four, each person in one to four records; most households share an address, half of the
    children their parent's phone, some all a device."""
    dice = random.Random(seed)
    scribe = _Scribe(dice)
    rows: list[tuple[Row, object]] = []
    for family in range(families):
        home, phone, device = _home(dice), _mobile(dice), f"dv{dice.randrange(16**8):08x}"
        surname = dice.choice(SURNAMES)
        generation = dice.choice(GIVEN)
        for place in range(dice.choice([1, 1, 2, 3, 4])):
            own = dice.choice(SURNAMES) if place == 1 else surname
            child = place >= 2
            given = generation + dice.choice(GIVEN) if child else "".join(dice.choices(GIVEN, k=dice.choice([1, 2, 2])))
            year = dice.randrange(2000, 2015) if child else dice.randrange(1955, 1999)
            born = (year, dice.randrange(1, 13), dice.randrange(1, 29))
            number = phone if place == 0 or (child and dice.random() < 0.5) else _mobile(dice)
            host = dice.choice(["qq.com", "163.com", "gmail.com"])
            mail = f"{''.join(lazy_pinyin(own + given))}{dice.randrange(100)}@{host}"
            shared = device if dice.random() < 0.4 else f"dv{dice.randrange(16**8):08x}"
            for _ in range(dice.choice([1, 2, 2, 3, 4])):
                row = {
                    "姓名": scribe.name(own + given),
                    "手机": scribe.phone(number),
                    "地址": scribe.address(home),
                    "出生日期": scribe.date(born),
                    "邮箱": scribe.mail(mail),
                    "设备": shared if dice.random() < 0.5 else None,
                }
                rows.append((row, (family, place)))
    dice.shuffle(rows)
    return [Table("customers", [row for row, _ in rows])], [entity for _, entity in rows]


def companies(count: int, seed: int) -> Labelled:
    """Companies in two systems, up to two records in each; some sit in one building behind one switchboard, some are
    sisters under one brand."""
    dice = random.Random(seed)
    scribe = _Scribe(dice)
    tables: list[list[tuple[Row, object]]] = [[], []]
    brand, home, board = "", _home(dice), ""
    taken: set[tuple[str, str]] = set()
    for company in range(count):
        if company == 0 or dice.random() > 0.08:
            brand = "".join(dice.choices(BRAND, k=dice.choice([2, 2, 3])))
            if company == 0 or dice.random() > 0.06:
                home = _home(dice)
                board = f"0{dice.randrange(20, 900)}{dice.randrange(10**8):08}"
        trade = dice.choice([t for t in TRADES if (brand, t) not in taken])
        taken.add((brand, trade))
        extension = str(dice.randrange(100, 9999))
        person = dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=2))
        for records in tables:
            for _ in range(dice.choice([0, 1, 1, 1, 2])):
                form = dice.choice(["有限公司", "有限责任公司", "股份有限公司", "公司", "（集团）有限公司", ""])
                place = dice.choice([home[1], f"{home[1]}市", home[0], f"{home[0]}省", "", ""])
                row = {
                    "客户名称": scribe.traditional(place + brand + trade + form, 0.08),
                    "电话": scribe.landline(board, extension),
                    "地址": scribe.address(home),
                    "联系人": scribe.name(person) if dice.random() < 0.7 else None,
                }
                records.append((row, company))
    for records in tables:
        dice.shuffle(records)
    named = [Table(name, [row for row, _ in records]) for name, records in zip(("crm", "erp"), tables, strict=True)]
    return named, [entity for records in tables for _, entity in records]
