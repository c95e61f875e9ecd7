"""The engine runs on a store tablet: it needs neither numbers' libraries nor a database, web framework or agents."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "numba", "polars", "sqlalchemy", "sqlmodel", "fastapi", "langgraph"}:
            raise ImportError(f"{name} is not on this tablet")

sys.meta_path.insert(0, Absent())

import yaml
from core.events import Event, Fact
from core.times import HOUR, Micros
from knowledge.catalog import read_catalog
from strategy.document import Strategy
from strategy.engine.python import PythonEngine

catalog = read_catalog('''
catalog: 1
objects: {customer: {attributes: {tier: {type: enum, values: {vip: {}, plain: {}}}}}}
events: {order: {subject: customer, fields: {amount: {type: number, unit: CNY, min: 0}}}, visit: {subject: customer}}
''').catalog
strategies = yaml.safe_load('''
- name: big spender
  trigger: {kind: aggregate, event: order, function: sum, field: amount, window: {over: 30d}, op: ">", value: 100}
  actions: [{task: call}]
- name: lost
  audience: {kind: attribute, name: tier, op: ==, value: vip}
  trigger: {kind: sequence, steps: [{event: visit}, {event: order, absent: true, within: 1h}]}
  actions: [{task: call}]
''')
engine = PythonEngine(catalog)
for each in strategies:
    engine.deploy(Strategy.model_validate(each), 1)
me, at = "customer/1", [Micros(10**15 + i * HOUR) for i in range(6)]
engine.ingest([Fact(me, "tier", "vip", at[0]), Event("a", "order", at[0], me, {"amount": 60})])
again = PythonEngine(catalog)
again.restore(engine.snapshot())
first = again.ingest([Event("b", "order", at[1], me, {"amount": 60}), Event("c", "visit", at[2], me)])
for firing in (*first.firings, *again.advance(at[5]).firings):
    print(firing.strategy, firing.trigger.observed, *firing.trigger.evidence)
"""


def test_it_runs_where_nothing_but_its_own_needs_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["big spender 120 a b", "lost 1 c"]
