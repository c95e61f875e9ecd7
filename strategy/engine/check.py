"""Does a strategy fit the catalog, and can it ever fire? Names, types and subjects here; what its bounds imply in
bounds.py, odd units in slips.py. A warning begins with its place and ends with the cure."""

from __future__ import annotations

from core.errors import InvalidInput, Refused
from core.text import Text
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from strategy.document import (
    SUBJECT,
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    EventFilter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Sequence,
    Strategy,
    Streak,
)
from strategy.engine.bounds import Bounds, conjuncts
from strategy.engine.comparable import comparable, known, of_type
from strategy.engine.paths import reached
from strategy.engine.quantities import Reason
from strategy.engine.slips import unit_slips
from strategy.engine.values import FALSE, UNKNOWN


def check_strategy(strategy: Strategy, catalog: Catalog) -> list[Text]:
    """Warnings about a strategy that may be deployed.

    Raises:
        UnknownName: it names what the catalog does not have; `nearest` has the closest names.
        InvalidInput: a comparison, unit, subject or shape that makes no sense; `where["field"]` is the place.
        Refused: it can never fire.
    """
    checker = _Checker(strategy, catalog)
    checker.names()
    return checker.meaning()


class _Checker:
    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self._strategy = strategy
        self._catalog = catalog
        self._warnings: list[Text] = []

    # names, types and subjects

    def names(self) -> None:
        strategy, catalog = self._strategy, self._catalog
        known(strategy.subject, catalog.objects, Text("对象", "object"), "subject")
        self._condition(strategy.trigger, "trigger")
        if strategy.audience is not None:
            self._condition(strategy.audience, "audience")
        for i, action in enumerate(strategy.actions):
            if action.action is not None:
                known(action.action, catalog.actions, Text("动作", "action"), f"actions.{i}.action")
        if strategy.verify is not None:
            if strategy.verify.event is not None:
                known(strategy.verify.event, catalog.events, Text("事件", "event"), "verify.event")
            if strategy.verify.metric is not None:
                known(strategy.verify.metric, catalog.metrics, Text("指标", "metric"), "verify.metric")

    def _condition(self, condition: Condition, path: str) -> None:
        if isinstance(condition, All | Any_):
            for i, part in enumerate(condition.of):
                self._condition(part, f"{path}.of.{i}")
        elif isinstance(condition, Not):
            self._condition(condition.of, f"{path}.of")
        elif isinstance(condition, AttributeIs):
            attribute = self._attribute(condition.name, condition.via, path, "name")
            comparable(attribute, condition.op, condition.value, path, condition.name)
        elif isinstance(condition, ForecastIs):
            self._forecast(condition, path)
        elif isinstance(condition, DateIs):
            attribute = self._attribute(condition.attribute, condition.via, path, "attribute")
            of_type(attribute, "date", f"{path}.attribute", condition.attribute)
        elif isinstance(condition, Near):
            known(condition.place, self._catalog.places, Text("地点", "place"), f"{path}.place")
            attribute = self._attribute(condition.attribute, None, path, "attribute")
            of_type(attribute, "geo", f"{path}.attribute", condition.attribute)
        elif isinstance(condition, MetricIs):
            metric = known(condition.metric, self._catalog.metrics, Text("指标", "metric"), f"{path}.metric")
            self._same_subject(metric.subject, f"{path}.metric", condition.metric)
            comparable(Attribute(type="number"), condition.op, condition.value, path, condition.metric)
        elif isinstance(condition, Ratio):
            self._event(condition.of, f"{path}.of")
            self._event(condition.per, f"{path}.per")
            comparable(Attribute(type="number"), condition.op, condition.value, path, "ratio")
        elif isinstance(condition, Path):
            self._path(condition, path)
        else:
            self._on_events(condition, path)

    def _on_events(self, condition: Happens | Aggregate | Streak | Sequence | Change, path: str) -> None:
        if isinstance(condition, Sequence):
            self._sequence(condition, path)
            return
        self._event(condition, path)
        if isinstance(condition, Streak):
            for i, without in enumerate(condition.without):
                self._event(without, f"{path}.without.{i}")
        elif isinstance(condition, Aggregate):
            self._aggregate(condition, path)
        elif isinstance(condition, Change):
            self._reduced(condition.function, condition.event, condition.field, path)

    def _event(self, found: EventFilter, path: str) -> None:
        kind = known(found.event, self._catalog.events, Text("事件", "event"), f"{path}.event")
        if self._strategy.subject not in kind.groups:
            self._same_subject(kind.subject, f"{path}.event", found.event)
        for i, each in enumerate(found.where):
            place = f"{path}.where.{i}"
            field = known(each.field, kind.fields, Text("字段", "field"), f"{place}.field")
            comparable(field, each.op, each.value, place, each.field)

    def _same_subject(self, subject: str, path: str, name: str) -> None:
        mine = self._strategy.subject
        if subject != mine:
            raise InvalidInput(
                Text(
                    f"{name!r} 属于 {subject!r}，而策略针对 {mine!r}",
                    f"{name!r} happens to a {subject!r}, but the strategy is for a {mine!r}",
                ),
                where={"field": path},
                hint=Text(f"把 subject 改为 {subject}", f"Set subject to {subject}"),
            )

    def _attribute(self, name: str, via: str | None, path: str, part: str) -> Attribute:
        owner = self._owner(via, path)
        attributes = self._catalog.objects[owner].attributes
        if via is None and name not in attributes:
            self._needs_via(name, f"{path}.{part}")
        return known(name, attributes, Text(f"{owner} 的属性", f"attribute of {owner}"), f"{path}.{part}")

    def _needs_via(self, name: str, path: str) -> None:
        """The attribute is one of a related object: say so, rather than only that it is unknown."""
        for relation_id, relation in self._catalog.relations.items():
            target = self._catalog.objects[relation.target]
            if relation.source == self._strategy.subject and name in target.attributes:
                raise InvalidInput(
                    Text(
                        f"{name!r} 是 {relation.target} 的属性，不是 {relation.source} 的",
                        f"{name!r} is an attribute of {relation.target}, not of {relation.source}",
                    ),
                    where={"field": path},
                    hint=Text(f"加上 via: {relation_id}", f"Add via: {relation_id}"),
                )

    def _owner(self, via: str | None, path: str) -> str:
        """The object type whose property a condition reads."""
        if via is None:
            return self._strategy.subject
        relation = known(via, self._catalog.relations, Text("关系", "relation"), f"{path}.via")
        self._same_subject(relation.source, f"{path}.via", via)
        return relation.target

    def _forecast(self, condition: ForecastIs, path: str) -> None:
        forecast = known(condition.forecast, self._catalog.forecasts, Text("预测", "forecast"), f"{path}.forecast")
        owner = self._owner(condition.via, path)
        if forecast.subject == owner:
            comparable(Attribute(type="number"), condition.op, condition.value, path, condition.forecast)
            return
        ways = [
            name
            for name, relation in self._catalog.relations.items()
            if relation.source == self._strategy.subject and relation.target == forecast.subject
        ]
        raise InvalidInput(
            Text(
                f"预测 {condition.forecast!r} 属于 {forecast.subject!r}，不是 {owner!r}",
                f"forecast {condition.forecast!r} is about a {forecast.subject!r}, not a {owner!r}",
            ),
            where={"field": f"{path}.forecast"},
            hint=Text(f"加上 via: {ways[0]}", f"Add via: {ways[0]}") if ways else None,
            nearest=ways,
        )

    def _aggregate(self, condition: Aggregate, path: str) -> None:
        field = self._reduced(condition.function, condition.event, condition.field, path)
        if condition.function == "last" and field is not None:
            comparable(field, condition.op, condition.value, path, condition.field or "")
        else:
            comparable(Attribute(type="number"), condition.op, condition.value, path, condition.function)

    def _reduced(self, function: str, event: str, name: str | None, path: str) -> Attribute | None:
        """The field an aggregate is over, which must be there and of a type the function can take."""
        fields = self._catalog.events[event].fields
        if name is None:
            if function == "count":
                return None
            numeric = [n for n, f in fields.items() if f.type == "number" or function in ("distinct", "last")]
            raise InvalidInput(
                Text(f"{function} 需要指明字段", f"{function} needs a field"),
                where={"field": f"{path}.field"},
                nearest=numeric[:5],
            )
        if name == SUBJECT and function == "distinct":
            return None
        field = known(name, fields, Text("字段", "field"), f"{path}.field")
        if function in ("sum", "avg", "min", "max"):
            of_type(field, "number", f"{path}.field", name)
        return field

    def _path(self, condition: Path, path: str) -> None:
        owner = self._strategy.subject
        for i, step in enumerate(condition.steps):
            place = f"{path}.steps.{i}"
            relation = known(step.relation, self._catalog.relations, Text("关系", "relation"), f"{place}.relation")
            begins = relation.target if step.reverse else relation.source
            if begins != owner:
                turned = owner == (relation.source if step.reverse else relation.target)
                raise InvalidInput(
                    Text(
                        f"关系 {step.relation!r} 从 {begins!r} 出发，而这一步站在 {owner!r} 上",
                        f"relation {step.relation!r} leads from a {begins!r}, but this step stands at a {owner!r}",
                    ),
                    where={"field": f"{place}.relation"},
                    hint=Text("反方向走：改 reverse", "Go the other way: turn reverse round") if turned else None,
                    nearest=self._ways(owner),
                )
            owner = reached(step, self._catalog)
            for j, each in enumerate(step.where):
                attributes, at = self._catalog.objects[owner].attributes, f"{place}.where.{j}"
                attribute = known(
                    each.field, attributes, Text(f"{owner} 的属性", f"attribute of {owner}"), f"{at}.field"
                )
                comparable(attribute, each.op, each.value, at, each.field)

    def _ways(self, owner: str) -> list[str]:
        """Relations that begin or end at an object type."""
        return [
            name for name, relation in self._catalog.relations.items() if owner in (relation.source, relation.target)
        ]

    def _sequence(self, condition: Sequence, path: str) -> None:
        steps = condition.steps
        for i, step in enumerate(steps):
            self._event(step, f"{path}.steps.{i}")
        if steps[0].absent:
            raise InvalidInput(
                Text("序列的第一步不能是“未发生”", "the first step of a sequence cannot be an absent one"),
                where={"field": f"{path}.steps.0.absent"},
                hint=Text("先写发生了什么", "Begin with what happens"),
            )
        trailing = [step for i, step in enumerate(steps) if all(s.absent for s in steps[i:])]
        if trailing and all(step.within is None for step in trailing):
            raise Refused(
                Text(
                    "序列以“未发生”结尾却没有期限，永远不会完成",
                    "the sequence ends with an absent step and no deadline, so it never completes",
                ),
                where={"field": f"{path}.steps.{len(steps) - 1}.within"},
                hint=Text("给最后一步加上 within，例如 2h", "Give the last step a within, such as 2h"),
            )

    # what the bounds imply

    def meaning(self) -> list[Text]:
        strategy = self._strategy
        bounds = Bounds(strategy, self._catalog)
        parts: list[tuple[str, Condition]] = []
        for path, condition in (("audience", strategy.audience), ("trigger", strategy.trigger)):
            if condition is None:
                continue
            found = bounds.verdict(condition, path)
            if found.never and found.reason is not None:
                raise _never(found.reason)
            if FALSE not in found.possible:
                self._warnings.append(_always(path, UNKNOWN in found.possible))
            parts += conjuncts(condition, path)
            self._warnings += unit_slips(condition, path, self._catalog, strategy.subject)
        if (reason := bounds.clash(parts, "audience")) is not None:
            raise _never(reason)
        if strategy.rollout.percent == 0:
            self._warnings.append(
                Text(
                    "rollout.percent：投放比例是 0%，对谁都不执行；写大于 0 的比例",
                    "rollout.percent: the rollout is 0 percent, so nobody gets an action; write a share above 0",
                )
            )
        return [*self._warnings, *bounds.warnings]


def _never(reason: Reason) -> Refused:
    why, place, cure = reason
    return Refused(
        Text(f"策略永远不会触发：{why.zh}", f"the strategy can never fire: {why.en}"),
        where={"field": place},
        hint=Text(cure.zh, cure.en[0].upper() + cure.en[1:]),
    )


def _always(path: str, once_known: bool) -> Text:
    when = Text("一旦有数据就", "once its data is there ") if once_known else Text("", "")
    if path == "audience":
        return Text(
            f"{path}：人群条件{when.zh}总是成立，等于没有限制；收紧它的界限，或去掉它",
            f"{path}: the audience condition is always true {when.en}and limits nothing; tighten it, or drop it",
        )
    return Text(
        f"{path}：触发条件{when.zh}总是成立，每个对象只触发一次，之后不再触发；收紧它的界限",
        f"{path}: the trigger is always true {when.en}and fires once for each subject, never again; tighten its bounds",
    )
