"""A workspace: the folder with everything one retailer owns, and its settings."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from propensity.declared import Declared, read_outcomes
from propensity.outcomes import CUSTOMER_OUTCOMES
from segments.errors import DataError, NotBuiltError
from segments.tastes import Taste, read_tastes

SETTINGS_FILE = "segassist.toml"
DEFAULT = Path("workspaces/demo")
STATE_VARIABLE = "SEGASSIST_STATE_URL"
SECOND_READINGS = ("off", "doubt", "always")
BEHAVIOUR_ENCODERS = (
    "auto",
    "aggregate",
    "transformer",
    "lstm",
    "aggregate + transformer",
    "aggregate + lstm",
)
REVIEW_SCORERS = ("auto", "words")
ROLES = ("viewer", "marketer", "analyst", "admin")
"""Of users; `serving.access` says what each may do."""


@dataclass(frozen=True)
class Settings:
    """What a retailer may set in `segassist.toml`; every default is written here and nowhere else.

    min_group: groups of fewer customers are not shown in a chat. min_group_of: the same for a role (`[min_group_of]`), at
    least min_group, and no less than for the roles above it. estimate_from: with so many events a preview estimates the
    size from a sample (`warehouse.estimate`) where it can. noise_epsilon: of the noise on each count that is shown
    to who may not export (0: none); noise_budget: what each user may spend of it in all. currency: sign shown before
    amounts. requests_per_minute: of one API key. turns_at_once: questions that
    each server process answers together (0: as suits the language model's server); turns_waiting: that wait at most.
    cors_origins: pages of other sites that may call the API.
    session_hours: how long a browser stays signed in. answers_hours: how long the first answer of an Idempotency-Key is
    kept; export_days: an export job that has ended, and its file; chat_days: where a chat of the OpenAI protocol stood,
    from its last use on (`serving.tidy` removes them then).
    randomised_campaigns: ids of campaigns whose customers were drawn at random, so that their effect may be called one.
    gross_margin: share of revenue left after the cost of goods. contact_cost: currency for each customer
    contacted. response_rate: share of contacted customers who respond, where no past campaign tells it (0: not known).
    second_reading: what the model's sketch adapter reads again, where it has one: 'always' (every message that describes
    a segment), 'doubt' (one that was not read whole) or 'off'. llm_adapter: that adapter; empty for the packaged one
    beside the packaged model. llm_python: the interpreter that has vLLM; empty for our own. behaviour_encoder: what makes
    the behaviour index, one of BEHAVIOUR_ENCODERS; 'auto': a learned encoder where one was trained and surely beat the
    aggregate. review_scorer: what tells praise from complaint in reviews; 'auto': a model of the retailer's own rated
    reviews where it surely beats the word list, 'words': the word list. banned_words: never used in marketing copy.
    parameters: numbers that definitions name.
    outcomes: what models shall predict besides the outcomes that every workspace has (`[[outcomes]]`). tastes: phrases
    that items are compared with, each a feature (`[[tastes]]`). state_url: the database of segments, users,
    conversations, jobs and audit log, instead of SQLite files; without a password, which belongs in the environment.
    trace_content: traces hold the question and who asked it. oidc_issuer, oidc_client_id: the provider that people
    sign in with; oidc_role_claim: where it says their role. export_database: the database that exports of the format
    'table' are put into, 'env:NAME' to read the address from the environment. webhooks: addresses, by the names that
    exports are delivered to them by (`[webhooks]`; 'env:NAME' likewise).
    """

    name: str = "Complete Journey demo"
    currency: str = "$"
    min_group: int = 10
    min_group_of: Mapping[str, int] = field(default_factory=dict)
    estimate_from: int = 500_000_000
    noise_epsilon: float = 0.0
    noise_budget: float = 50.0
    llm_backend: str = "auto"
    llm_base_url: str = ""
    llm_model: str = ""
    llm_adapter: str = ""
    llm_profile: str = "auto"
    llm_python: str = ""
    second_reading: str = "always"
    encoder: str = "all-MiniLM-L6-v2"
    behaviour_encoder: str = "auto"
    review_scorer: str = "auto"
    index_device: str = "auto"
    exclude_categories: tuple[str, ...] = ()
    requests_per_minute: int = 300
    turns_at_once: int = 0
    turns_waiting: int = 64
    cors_origins: tuple[str, ...] = ()
    session_hours: int = 12
    answers_hours: int = 24
    export_days: int = 90
    chat_days: int = 90
    randomised_campaigns: tuple[str, ...] = ()
    gross_margin: float = 0.25
    contact_cost: float = 0.5
    response_rate: float = 0.0
    banned_words: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    outcomes: tuple[Declared, ...] = ()
    tastes: tuple[Taste, ...] = ()
    state_url: str = ""
    trace_content: bool = False
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_role_claim: str = "roles"
    export_database: str = ""
    webhooks: Mapping[str, str] = field(default_factory=dict)

    def smallest(self, role: str) -> int:
        """The smallest group that users of a role are shown."""
        return self.min_group_of.get(role, self.min_group)

    @property
    def smallest_of_all(self) -> int:
        """The smallest group in what everybody may read, whoever has made it."""
        return max([self.min_group, *self.min_group_of.values()])


@dataclass(frozen=True)
class Workspace:
    """Paths of a workspace and its settings. state_url: the database of the state; empty for SQLite files in the folder."""

    folder: Path
    settings: Settings
    state_url: str = ""

    @classmethod
    def of(cls, folder: Path) -> Workspace:
        """The workspace of a folder, built or not, with its state where the operator keeps it."""
        settings = read_settings(folder)
        return cls(folder, settings, os.environ.get(STATE_VARIABLE) or settings.state_url)

    def at(self, folder: Path) -> Workspace:
        """A copy of it in another folder, with a state of its own there: what is done to it reaches nobody else's."""
        return Workspace(folder, self.settings)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    @property
    def index(self) -> Path:
        """The folder of the behaviour index."""
        return self.folder / "indexes"

    @property
    def models(self) -> Path:
        """The folder of the propensity models."""
        return self.folder / "models"

    @property
    def state(self) -> str | Path:
        """Saved segments, users, keys, jobs."""
        return self.state_url or self.folder / "state.sqlite"

    @property
    def audit(self) -> str | Path:
        """The audit log."""
        return self.state_url or self.folder / "audit.sqlite"

    @property
    def conversations(self) -> str | Path:
        """Conversation checkpoints."""
        return self.state_url or self.folder / "conversations.sqlite"

    @property
    def run(self) -> Path:
        """Records of running servers."""
        return self.folder / "run"

    @property
    def ready(self) -> Path:
        """Written last by a build: everything before it is complete."""
        return self.folder / "ready.json"


def open_workspace(folder: Path) -> Workspace:
    """Read a workspace's settings. Raises NotBuiltError when it was never built, DataError when its
    settings do not parse."""
    if not (folder / "ready.json").exists():
        if (folder / "warehouse.duckdb").exists():
            raise NotBuiltError(
                f"The last build of {folder} did not come to its end; run the same command again: segassist ingest MAPPING "
                f"--workspace {folder}, or for the demo segassist build.",
                f"{folder}上一次的构建没有完成；请管理员重新运行同一命令：segassist ingest 或 segassist build。",
            )
        raise NotBuiltError(f"Nothing is built in {folder} yet; run: segassist build --workspace {folder}")
    return Workspace.of(folder)


def read_settings(folder: Path) -> Settings:
    """The settings file of a folder, or the defaults when it has none."""
    path = folder / SETTINGS_FILE
    if not path.exists():
        return Settings()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not valid TOML ({error}).") from error
    known = set(Settings.__dataclass_fields__)
    unknown = sorted(set(values) - known)
    if unknown:
        raise DataError(f"{path}: '{unknown[0]}' is not a setting; known are {', '.join(sorted(known))}.")
    declared = values.pop("outcomes", [])
    if not isinstance(declared, list):
        raise DataError(f"{path}: outcomes must be tables, each under [[outcomes]]; got {declared!r}.")
    tastes = values.pop("tastes", [])
    if not isinstance(tastes, list):
        raise DataError(f"{path}: tastes must be tables, each under [[tastes]]; got {tastes!r}.")
    taken = [outcome.name for outcome in CUSTOMER_OUTCOMES]
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    for key, value in values.items():
        wanted = type(getattr(Settings(), key))
        if wanted is float and type(value) is int:
            values[key] = float(value)
        elif type(value) is not wanted:
            kind = {
                str: "a text",
                int: "a whole number",
                float: "a number",
                bool: "true or false",
                tuple: "a list of texts",
                dict: "a table",
            }[wanted]
            raise DataError(f"{path}: {key} must be {kind}; got {value!r}.")
    for name, value in values.get("parameters", {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(f"{path}: parameters.{name} must be a number; got {value!r}.")
    for name, value in values.get("webhooks", {}).items():
        if not isinstance(value, str) or not value:
            raise DataError(f"{path}: webhooks.{name} must be an address, or 'env:NAME'; got {value!r}.")
    settings = Settings(
        **values,
        outcomes=read_outcomes(declared, taken, str(path)),
        tastes=read_tastes(tastes, str(path)),
    )
    for key, least in {
        "min_group": 1,
        "estimate_from": 1,
        "requests_per_minute": 1,
        "turns_at_once": 0,
        "turns_waiting": 1,
        "session_hours": 1,
        "answers_hours": 1,
        "export_days": 1,
        "chat_days": 1,
    }.items():
        if getattr(settings, key) < least:
            raise DataError(f"{path}: {key} must be at least {least}; got {getattr(settings, key)}.")
    _check_groups(settings, path)
    for key, known_values in {
        "second_reading": SECOND_READINGS,
        "behaviour_encoder": BEHAVIOUR_ENCODERS,
        "review_scorer": REVIEW_SCORERS,
    }.items():
        if getattr(settings, key) not in known_values:
            raise DataError(
                f"{path}: {key} must be one of {', '.join(known_values)}; got {getattr(settings, key)!r}."
            )
    if not 0 <= settings.noise_epsilon <= settings.noise_budget:
        raise DataError(
            f"{path}: noise_epsilon must be at least 0 (no noise) and at most noise_budget "
            f"({settings.noise_budget:g}); got {settings.noise_epsilon:g}."
        )
    if not 0 < settings.gross_margin <= 1:
        raise DataError(f"{path}: gross_margin must lie above 0 and at most 1; got {settings.gross_margin}.")
    if not settings.contact_cost > 0:
        raise DataError(f"{path}: contact_cost must be above 0; got {settings.contact_cost}.")
    if not 0 <= settings.response_rate < 1:
        raise DataError(
            f"{path}: response_rate must be at least 0 and below 1; got {settings.response_rate}."
        )
    return settings


def _check_groups(settings: Settings, path: Path) -> None:
    """A role may be shown no smaller group than `min_group`, and none that a role above it is not shown."""
    for role, smallest in settings.min_group_of.items():
        if role not in ROLES:
            raise DataError(f"{path}: min_group_of.{role}: not a role; roles are {', '.join(ROLES)}.")
        if isinstance(smallest, bool) or not isinstance(smallest, int) or smallest < settings.min_group:
            raise DataError(
                f"{path}: min_group_of.{role} must be a whole number of at least min_group ({settings.min_group}); "
                f"got {smallest!r}."
            )
    for lower, higher in pairwise(ROLES):
        if settings.smallest(lower) < settings.smallest(higher):
            raise DataError(
                f"{path}: min_group_of.{lower} must be at least that of {higher} ({settings.smallest(higher)}); "
                f"got {settings.smallest(lower)}."
            )
