"""The supervisor with what it stands on, and the model that may read sentences. It takes seconds to load (embeddings,
graph and agent libraries): the hub has it as a `Room`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from app.likeness import offline_likeness
from core.clock import Clock
from core.errors import ZhongshuError
from core.text import Text
from strategy.language import Likeness
from strategy.reading import SentenceReader

if TYPE_CHECKING:
    from agents.models.answers import ModelSettings
    from agents.supervisor import Supervisor
    from app.hub import Hub
    from app.settings import Settings
    from strategy.propose import Asked, Proposer

_log = structlog.get_logger("agents")
_EVERY = 60.0
"""Seconds between looks for approvals past their time."""


def load_supervisor(hub: Hub) -> Supervisor:
    """Build it on the hub's parts, and go on with what a stop cut off."""
    from agents.schemas import AgentDeps
    from agents.supervisor import Supervisor
    from knowledge.parse import read_text
    from tools import ToolDeps

    settings = hub.settings
    tools = ToolDeps(
        graph=hub.graph_store,
        retriever=hub.retriever.get(),
        strategies=hub.strategies,
        cards=hub.cards,
        decider=hub.decider,
        policy=hub.policy,
        db=hub.database,
        clock=hub.clock,
        catalog=lambda ctx: hub.catalog,
    )
    model = _model_settings(settings)
    checkpoints = settings.data_dir / "checkpoints.db"
    supervisor = Supervisor(AgentDeps(tools=tools, read_text=read_text, checkpoints=checkpoints, model=model))
    read_text("warm up")
    hub.at_close(supervisor.close)
    hub.at_close(_sweep_now_and_then(hub, supervisor))
    return supervisor


def sentence_reader(
    settings: Settings,
    clock: Clock,
    own: Callable[[], Sequence[Text]] = tuple,
    likeness: Likeness | None = None,
) -> SentenceReader:
    """With an endpoint configured, its model reads sentences too, and is shown the business's own ones. `likeness`
    ranks the names nearest to an unknown one; by default by the offline embedder, loaded with the first of them."""
    likeness = likeness or offline_likeness()
    if not settings.llm_base_url:
        return SentenceReader(likeness=likeness)
    sayings = own()
    return SentenceReader(LazyProposer(settings, clock), lambda lang: [each.say(lang) for each in sayings], likeness)


class LazyProposer:
    """The configured model as a reader of sentences; its libraries load with the first sentence."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._lock = threading.Lock()
        self._made: Proposer | None = None

    def propose(self, asked: Asked) -> dict[str, Any]:
        """As `Proposer.propose`."""
        with self._lock:
            if self._made is None:
                from agents.models.resilient import build_model
                from agents.proposer import ModelProposer

                self._made = ModelProposer(build_model(_model_settings(self._settings), self._clock))
        return self._made.propose(asked)


def _model_settings(settings: Settings) -> ModelSettings:
    from agents.models.answers import ModelSettings

    return ModelSettings(
        base_url=str(settings.llm_base_url) if settings.llm_base_url else None,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        model=settings.llm_model,
    )


def _sweep_now_and_then(hub: Hub, supervisor: Supervisor) -> _Sweeper:
    sweeper = _Sweeper(hub, supervisor)
    sweeper.start()
    return sweeper


class _Sweeper(threading.Thread):
    """Closes approvals past their time, and goes on with conversations whose answer a stop cut off. Call it to stop."""

    def __init__(self, hub: Hub, supervisor: Supervisor) -> None:
        super().__init__(name="approvals", daemon=True)
        self._hub, self._supervisor = hub, supervisor
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while True:
            try:
                self._supervisor.sweep(self._hub.context())
            except ZhongshuError as error:
                _log.warning("sweep", said=error.say("en"))
            except Exception:
                _log.exception("sweep failed")
            if self._stop_asked.wait(_EVERY):
                return

    def __call__(self) -> None:
        self._stop_asked.set()
        self.join(10)
