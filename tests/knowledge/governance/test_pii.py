"""What is personal data in a text, and what only looks like it."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.governance import find_pii, mask_pii
from knowledge.governance.pii import _ID_WEIGHTS


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打我电话13812345678,谢谢", "请打我电话<mobile>,谢谢"),
        ("手机:138-1234-5678 或 +86 139 0000 1111", "手机:<mobile> 或 <mobile>"),
        ("回拨008613812345678", "回拨<mobile>"),
        ("全角13812345678也算", "全角<mobile>也算"),
        ("座机 010-88886666,或(021)6666 8888", "座机 <phone>,或<phone>"),
        ("call me on +1 415 555 2671 or (415) 555-2671.", "call me on <phone> or <phone>."),
        ("UK office: +44 20 7946 0958", "UK office: <phone>"),
        ("身份证11010519491231002X。", "身份证<id_card>。"),
        ("卡号 6222 0212 3456 7890 123", "卡号 6222 0212 3456 7890 123"),  # fails Luhn
        ("卡号 6222 0212 3456 7890 128", "卡号 <bank_card>"),
        ("pay with 4111-1111-1111-1111 please", "pay with <bank_card> please"),
        ("写到 li.wei+vip@mail.example.com.cn 即可", "写到 <email> 即可"),
        ("车牌沪A·12345和粤BD12345", "车牌<plate>和<plate>"),
        ("来自 192.168.10.25 的登录", "来自 <ip> 的登录"),
    ],
)
def test_personal_data_is_masked_by_kind(text: str, masked: str) -> None:
    assert mask_pii(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "订单号 13812345678 还没发货",
        "合同 HT-2024-0138 与 HT-13812345678 到期",
        "order no. 4111111111111111 is late",
        "订单 2024051312345678901",
        "工单编号:15912345678",
        "最后一位错了就不是身份证:110105194912310021",
        "固件版本 1.2.3.4",
        "version 10.0.0.1",
        "999.1.1.1",
        "2026-05-13 10:20:30",
        "SKU-6222021234567890123",
        "金额 1234567.89 元,共 3 件",
        "新A级车型上市",
        "@某人 你好",
        "400-820-8820 是客服热线",
        "1,380,013,800 次播放",
    ],
)
def test_what_is_not_personal_is_left_alone(text: str) -> None:
    assert mask_pii(text) == text


def test_offsets_point_into_the_original_text() -> None:
    text = "王先生13812345678,wang@example.com"
    assert [(p.kind, text[p.start : p.end]) for p in find_pii(text)] == [
        ("mobile", "13812345678"),
        ("email", "wang@example.com"),
    ]


@given(st.integers(0, 99_999), st.dates(min_value=date(1900, 1, 1)), st.integers(0, 999))
def test_every_id_card_with_a_right_checksum_is_found_and_with_a_wrong_one_is_not(
    region: int, born: object, serial: int
) -> None:
    year = str(born).replace("-", "")
    if not "1900" <= year[:4] <= "2099":
        return
    body = f"3{region:05d}{year}{serial:03d}"
    checks = "10X98765432"
    right = checks[sum(int(c) * w for c, w in zip(body, _ID_WEIGHTS, strict=True)) % 11]
    assert mask_pii(f"证件 {body}{right}") == "证件 <id_card>"
    wrong = checks[(checks.index(right) + 1) % 11]
    assert all(p.kind != "id_card" for p in find_pii(f"证件 {body}{wrong}"))


@given(st.text(alphabet="0123456789+- ()@.aZ京A订单号:xX,。1", max_size=60))
def test_masking_twice_is_masking_once_and_what_is_found_never_overlaps(text: str) -> None:
    found = find_pii(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= p.start < p.end <= len(text) for p in found)
    once = mask_pii(text)
    assert mask_pii(once) == once


@pytest.mark.parametrize("unit", ["a", "1", "1 ", "a.", "a@", "+1 ", "京A", "13812345678,", "(0", "1-"])
def test_a_megabyte_of_anything_takes_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.process_time()
    find_pii(text)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "text, address",
    [
        ("请送到上海市浦东新区世纪大道100号2栋301室，谢谢", "上海市浦东新区世纪大道100号2栋301室"),
        ("我住中山路88弄12号", "中山路88弄12号"),
        ("Ship it to 12 Baker Street, Flat 4, please", "12 Baker Street, Flat 4"),
        ("at 1600 Pennsylvania Ave today", "1600 Pennsylvania Ave"),
    ],
)
def test_street_addresses_are_found_in_both_languages(text: str, address: str) -> None:
    (found,) = find_pii(text)
    assert found.kind == "address"
    assert text[found.start : found.end].endswith(address)


@pytest.mark.parametrize(
    "text", ["门店在路上有3号机出了故障", "I paid 12 dollars on Sunday", "请走这条路", "order 5 more Boxes"]
)
def test_roads_without_a_number_and_numbers_without_a_road_are_no_address(text: str) -> None:
    assert find_pii(text) == []
