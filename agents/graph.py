"""How the steps hang together: intake → route → specialist → guard → act ⇄ approval → reply or person. Every edge is
decided by the state, none by a model."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.nodes import MAX_REPAIRS, Nodes
from agents.specialists import SPECIALISTS
from agents.state import HubState, RunContext
from agents.tables import ApprovalState

HubGraph = CompiledStateGraph[HubState, RunContext, Any, Any]


def build(nodes: Nodes, checkpointer: BaseCheckpointSaver[str]) -> HubGraph:
    """The compiled graph."""
    graph: StateGraph[HubState, RunContext, Any, Any] = StateGraph(HubState, context_schema=RunContext)
    steps = ("intake", "route", "specialist", "guard", "act", "wait", "reply", "person")
    for name in steps:
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "route")
    graph.add_conditional_edges("route", _after_route, ["specialist", "person"])
    graph.add_edge("specialist", "guard")
    graph.add_conditional_edges("guard", _after_guard, ["specialist", "act", "person"])
    graph.add_conditional_edges("act", _after_act, ["wait", "reply", "person"])
    graph.add_conditional_edges("wait", _after_wait, ["act", "reply", "person"])
    graph.add_edge("reply", END)
    graph.add_edge("person", END)
    return graph.compile(checkpointer=checkpointer)


def _after_route(state: HubState) -> str:
    return "specialist" if state["route"] in SPECIALISTS else "person"


def _after_guard(state: HubState) -> str:
    if not state["problems"]:
        return "act"
    return "specialist" if state["repairs"] <= MAX_REPAIRS else "person"


def _after_act(state: HubState) -> str:
    if state["pending"]:
        return "wait"
    if state["status"] == "failed" or (state["decision"] or {}).get("action") == "hand_over":
        return "person"
    return "reply"


def _after_wait(state: HubState) -> str:
    if state["verdict"] == ApprovalState.APPROVED:
        return "act"
    if state["verdict"] == ApprovalState.SUPERSEDED or state["turn"]["kind"] == "chat":
        return "reply"
    return "person"
