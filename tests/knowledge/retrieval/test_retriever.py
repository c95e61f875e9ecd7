"""The retriever's promises: found again, replaced, removed, limited by purpose, kept over a restart."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.context import Purpose, RequestContext, Role
from core.errors import Forbidden, InvalidInput, NotFound, TooLarge, Unavailable
from core.ids import TenantId
from core.text import Text
from core.times import Micros
from knowledge.retrieval import Document, Retriever, use_embedder
from knowledge.retrieval.embed import Vectors

SERVICE = RequestContext(TenantId("t1"), "ana", Role.SERVICE_AGENT, Purpose.SERVICE)
MARKETING = SERVICE.for_purpose(Purpose.MARKETING)

RETURNS = Document("faq-1", "faq", "收到货后七天内可以无理由退货，运费由我们承担。", title="怎么退货？")
WIFI = Document("faq-2", "faq", "Hold the button for five seconds until the light blinks, then open the app.",
                title="How do I connect the machine to Wi-Fi?")  # fmt: skip
CALL = Document(
    "call-1", "transcript", "客服：您好。\n客户：我的咖啡机一直漏水，我已经打了三次电话了。", subject="customer/c1"
)
TICKET = Document("tk-1", "ticket", "咖啡机漏水，厨房地板都湿了，请尽快派人来修。", subject="customer/c2", at=Micros(5))


@pytest.fixture
def retriever(tmp_path: Path) -> Iterator[Retriever]:
    found = Retriever(use_embedder(), tmp_path / "index")
    found.add(SERVICE, [RETURNS, WIFI, CALL, TICKET])
    yield found
    found.close()


def ids(passages: Sequence[Any]) -> list[str]:
    return [p.document_id for p in passages]


def test_a_question_finds_its_answer_in_either_language(retriever: Retriever) -> None:
    assert ids(retriever.search(SERVICE, "我想把东西退掉", 1)) == ["faq-1"]
    assert ids(retriever.search(SERVICE, "how can I return my purchase", 1)) == ["faq-1"]
    assert ids(retriever.search(SERVICE, "机器连不上无线网络", 1)) == ["faq-2"]


def test_a_passage_says_where_it_stands_in_its_document(tmp_path: Path) -> None:
    text = "".join(f"第{i}条，本合同第{i}款约定的服务内容如下，双方应当遵守。" for i in range(40))
    retriever = Retriever(use_embedder(), tmp_path)
    retriever.add(SERVICE, [Document("k1", "contract", text, title="服务合同", subject="customer/c1")])
    found = retriever.search(SERVICE, "第33条", 3)
    assert len({p.id for p in found}) == 3
    for passage in found:
        assert text[passage.start : passage.end] == passage.text
        assert (passage.title, passage.subject, passage.lang, passage.kind) == (
            "服务合同",
            "customer/c1",
            "zh",
            "contract",
        )
    assert any("第33条" in p.text for p in found)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert all(-1.0 <= p.similarity <= 1.001 for p in found)


def test_a_transcript_is_read_for_service_only(retriever: Retriever) -> None:
    assert "call-1" in ids(retriever.search(SERVICE, "咖啡机漏水"))
    assert "call-1" not in ids(retriever.search(MARKETING, "咖啡机漏水", 10))
    assert retriever.search(MARKETING, "咖啡机漏水", kinds=["transcript"]) == []
    (passage,) = retriever.search(SERVICE, "漏水", kinds=["transcript"])
    assert retriever.get(SERVICE, passage.id).text == passage.text
    assert retriever.exists(SERVICE, passage.id)
    assert not retriever.exists(MARKETING, passage.id)
    with pytest.raises(Forbidden):
        retriever.get(MARKETING, passage.id)


def test_a_document_can_narrow_its_purposes_but_a_transcript_cannot_widen_them(retriever: Retriever) -> None:
    retriever.add(SERVICE, [
        replace(TICKET, id="tk-2", purposes=frozenset({Purpose.RETENTION})),
        replace(CALL, id="call-2", purposes=frozenset({Purpose.SERVICE, Purpose.MARKETING})),
    ])  # fmt: skip
    assert "tk-2" not in ids(retriever.search(SERVICE, "漏水", 10))
    assert "tk-2" in ids(retriever.search(SERVICE.for_purpose(Purpose.RETENTION), "漏水", 10))
    assert "call-2" not in ids(retriever.search(MARKETING, "漏水", 10))
    with pytest.raises(InvalidInput, match="service only"):
        retriever.add(SERVICE, [replace(CALL, id="call-3", purposes=frozenset({Purpose.MARKETING}))])


def test_kinds_and_subject_narrow_a_search(retriever: Retriever) -> None:
    assert set(ids(retriever.search(SERVICE, "漏水", 10, kinds=["ticket", "transcript"]))) == {"tk-1", "call-1"}
    assert ids(retriever.search(SERVICE, "漏水", 10, subject="customer/c1")) == ["call-1"]
    assert retriever.search(SERVICE, "漏水", subject="customer/none") == []


def test_tenants_do_not_find_each_other_s_texts(retriever: Retriever) -> None:
    other = replace(SERVICE, tenant=TenantId("t2"))
    (passage,) = retriever.search(SERVICE, "漏水", 1)
    assert retriever.search(other, "漏水") == []
    assert not retriever.exists(other, passage.id)
    with pytest.raises(NotFound):
        retriever.get(other, passage.id)
    assert retriever.delete(other, "tk-1") is False


def test_adding_again_what_has_not_changed_writes_nothing(retriever: Retriever) -> None:
    before = retriever.search(SERVICE, "漏水", 10)
    assert retriever.add(SERVICE, [RETURNS, WIFI, CALL, TICKET]) == 0
    assert retriever.search(SERVICE, "漏水", 10) == before


def test_a_changed_document_replaces_its_passages(retriever: Retriever) -> None:
    (old,) = retriever.search(SERVICE, "退货", 1)
    assert retriever.add(SERVICE, [replace(RETURNS, text="收到货后三十天内可以退货。")]) == 1
    (new,) = retriever.search(SERVICE, "退货", 1)
    assert (new.document_id, new.text) == ("faq-1", "收到货后三十天内可以退货。")
    assert not retriever.exists(SERVICE, old.id)
    assert "七天" not in "".join(p.text for p in retriever.search(SERVICE, "七天无理由退货", 10))


def test_a_deleted_document_is_gone_at_once_and_after_a_restart(retriever: Retriever, tmp_path: Path) -> None:
    assert retriever.delete(SERVICE, "tk-1") is True
    assert retriever.delete(SERVICE, "tk-1") is False
    assert "tk-1" not in ids(retriever.search(SERVICE, "漏水", 10))
    retriever.close()
    again = Retriever(use_embedder(), tmp_path / "index")
    assert "tk-1" not in ids(again.search(SERVICE, "漏水", 10))


def test_everything_is_found_again_after_a_restart_without_embedding_it_anew(
    retriever: Retriever, tmp_path: Path
) -> None:
    before = retriever.search(SERVICE, "咖啡机漏水怎么办", 10)
    retriever.close()
    counting = _Counting()
    again = Retriever(counting, tmp_path / "index")
    assert again.warm(SERVICE) == 4
    assert again.add(SERVICE, [RETURNS, WIFI, CALL, TICKET]) == 0
    assert counting.texts == ["."]
    after = again.search(SERVICE, "咖啡机漏水怎么办", 10)
    assert [(p.id, p.at, p.purposes) for p in after] == [(p.id, p.at, p.purposes) for p in before]
    assert np.allclose([p.score for p in after], [p.score for p in before], atol=1e-4)


def test_a_document_left_incomplete_by_a_crash_is_completed_when_added_again(tmp_path: Path) -> None:
    text = "".join(f"第{i}条，双方约定如下内容并应当遵守执行。" for i in range(30))
    first = Retriever(use_embedder(), tmp_path)
    first.add(SERVICE, [Document("k1", "contract", text)])
    shelf = first._shelf(SERVICE.tenant)  # the crash: one of the passages did not reach the disk
    total = len(shelf)
    shelf._store.delete_nodes([first.search(SERVICE, "第20条", 1)[0].id])
    first.close()
    again = Retriever(use_embedder(), tmp_path)
    assert again.warm(SERVICE) == total - 1
    assert again.add(SERVICE, [Document("k1", "contract", text)]) == 1
    assert again.warm(SERVICE) == total


def test_another_embedder_embeds_the_stored_texts_anew(retriever: Retriever, tmp_path: Path) -> None:
    retriever.close()
    other = _Counting("another-model")
    again = Retriever(other, tmp_path / "index")
    assert ids(again.search(SERVICE, "漏水", 10, kinds=["ticket"])) == ["tk-1"]
    assert "怎么退货？\n" + RETURNS.text in other.texts
    assert again.add(SERVICE, [RETURNS]) == 0
    again.close()
    assert Retriever(other, tmp_path / "index").warm(SERVICE) == 4


def test_a_long_index_is_searched_through_the_vector_index_and_still_obeys_its_limits(tmp_path: Path) -> None:
    retriever = Retriever(use_embedder(), tmp_path)
    filler = [
        Document(f"d{i}", "transcript" if i % 2 else "article", f"编号{i}:关于第{i}号门店的说明与记录。")
        for i in range(400)
    ]
    retriever.add(SERVICE, [*filler, RETURNS, TICKET])
    assert ids(retriever.search(SERVICE, "我想退货", 1)) == ["faq-1"]
    found = retriever.search(MARKETING, "门店的说明", 50)
    assert len(found) == 50
    assert {p.kind for p in found} <= {"article", "faq", "ticket"}


@pytest.mark.parametrize(
    ("document", "error", "field"),
    [
        (replace(RETURNS, text="  \n"), InvalidInput, "text"),
        (replace(RETURNS, id=""), InvalidInput, "id"),
        (replace(RETURNS, kind="memo"), InvalidInput, "kind"),  # type: ignore[arg-type]  # the mistake under test
        (replace(RETURNS, text="字" * 200_001), TooLarge, "text"),
    ],
)
def test_a_document_that_cannot_be_indexed_is_named_and_nothing_is_written(
    retriever: Retriever, document: Document, error: type[InvalidInput], field: str
) -> None:
    with pytest.raises(error) as caught:
        retriever.add(SERVICE, [replace(TICKET, id="tk-9"), document])
    assert caught.value.where["field"] == field
    assert retriever.delete(SERVICE, "tk-9") is False


def test_an_unknown_kind_in_a_search_names_the_known_ones(retriever: Retriever) -> None:
    with pytest.raises(InvalidInput) as caught:
        retriever.search(SERVICE, "x", kinds=["tickets"])
    assert "ticket" in caught.value.nearest


def test_an_empty_question_finds_nothing_and_a_huge_one_is_read_from_its_beginning(retriever: Retriever) -> None:
    assert retriever.search(SERVICE, "  ") == []
    assert retriever.search(SERVICE, "漏水", 0) == []
    assert ids(retriever.search(SERVICE, "我想退货。" * 200_000, 1)) == ["faq-1"]


def test_when_the_embedder_fails_nothing_changes(tmp_path: Path) -> None:
    embedder = _Counting()
    retriever = Retriever(embedder, tmp_path)
    retriever.add(SERVICE, [RETURNS])
    embedder.broken = True
    with pytest.raises(Unavailable):
        retriever.add(SERVICE, [replace(RETURNS, text="新的说明。"), TICKET])
    embedder.broken = False
    (passage,) = retriever.search(SERVICE, "退货", 5)
    assert passage.text == RETURNS.text


def test_each_change_is_recorded_and_repeats_are_not(tmp_path: Path) -> None:
    rows: list[tuple[str, str]] = []
    retriever = Retriever(use_embedder(), tmp_path, lambda ctx, action, target, detail: rows.append((action, target)))
    retriever.add(SERVICE, [RETURNS, TICKET])
    retriever.add(SERVICE, [RETURNS])
    retriever.delete(SERVICE, "tk-1")
    retriever.delete(SERVICE, "tk-1")
    assert rows == [("retrieval.add", "2 documents"), ("retrieval.delete", "tk-1")]


def test_searches_and_writes_of_several_threads_do_not_disturb_each_other(retriever: Retriever) -> None:
    failures: list[BaseException] = []

    def work(me: int) -> None:
        try:
            for i in range(8):
                document = Document(f"w{me}-{i}", "article", f"第{me}号线程写的第{i}篇文章，讲的是咖啡豆的烘焙。")
                retriever.add(SERVICE, [document])
                assert retriever.search(SERVICE, f"第{me}号线程写的第{i}篇", 5)
                retriever.delete(SERVICE, document.id)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert retriever.warm(SERVICE) == 4


class _Counting:
    """The offline embedder under another name, remembering what it was asked."""

    def __init__(self, name: str = "") -> None:
        self.name = name or use_embedder().name
        self.texts: list[str] = []
        self.broken = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.broken:
            raise Unavailable(Text("坏了", "broken"))
        self.texts.extend(texts)
        return use_embedder().embed(texts)


def test_llamaindex_reads_the_index_under_the_same_purposes(retriever: Retriever) -> None:
    from knowledge.retrieval.llama import LlamaRetriever

    found = LlamaRetriever(retriever, SERVICE, k=10).retrieve("咖啡机漏水")
    expected = retriever.search(SERVICE, "咖啡机漏水", 10)
    assert [(n.node.node_id, n.node.ref_doc_id, n.get_content()) for n in found] == [
        (p.id, p.document_id, p.text) for p in expected
    ]
    assert "call-1" not in {n.node.ref_doc_id for n in LlamaRetriever(retriever, MARKETING, k=10).retrieve("漏水")}


def test_the_collection_holds_nodes_that_llamaindex_can_read(retriever: Retriever) -> None:
    from llama_index.vector_stores.chroma import ChromaVectorStore

    store = ChromaVectorStore(chroma_collection=retriever._shelf(SERVICE.tenant)._collection)
    (passage,) = retriever.search(SERVICE, "退货", 1)
    (node,) = store.get_nodes([passage.id])
    assert (node.ref_doc_id, node.get_content(), node.metadata["kind"]) == ("faq-1", passage.text, "faq")


_FILLED = -6
"""glibc's M_PERTURB: memory is given out filled with this byte's complement, not as it was left or blank."""


def test_an_index_written_anew_holds_nothing_of_what_was_in_memory(retriever: Retriever, tmp_path: Path) -> None:
    memory = ctypes.CDLL(None)
    assert memory.mallopt(_FILLED, 0x5A) == 1
    try:
        retriever.forget(SERVICE, ["call-1"])
    finally:
        memory.mallopt(_FILLED, 0)
    files = {path.name: path.read_bytes() for path in (tmp_path / "index").rglob("*.bin") if path.name != "header.bin"}
    assert {"data_level0.bin", "length.bin"} <= files.keys()
    assert not any(map(any, files.values())), "fewer vectors than Chroma keeps in its log, and still there are bytes"
    assert ids(retriever.search(SERVICE, "how can I return my purchase", 1)) == ["faq-1"]
