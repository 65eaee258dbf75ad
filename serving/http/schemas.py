"""What the API takes and answers, as pydantic models: FastAPI checks and documents both."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}
"""The definition that examples show."""
NODE_MARK = {"$comment": "a segment definition"}
"""Stands in a schema for the language's own; `openapi.document` puts it in."""
MAX_PAGE = 10_000
TURNS = 50
"""Of a conversation, that are read at once."""
MAX_QUESTION = 2000
"""Characters."""


def _whole(text: str) -> str:
    """Text that can be written as UTF-8 (JSON may hold half a character)."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character") from error
    return text


Whole = Annotated[str, AfterValidator(_whole)]
DefinitionJson = Annotated[dict[str, Any], WithJsonSchema(NODE_MARK)]
ConversationId = Annotated[
    str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$", examples=["spring-campaign"])
]
Offset = Annotated[int, Field(ge=0, le=2**31)]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]


class Asked(BaseModel, extra="forbid"):
    """What a caller sends: a field that is not known is told, not read past."""


class Ask(Asked):
    """A question, alone or in a conversation."""

    question: Whole = Field(
        min_length=1, max_length=MAX_QUESTION, examples=["who spent over $500 last quarter?"]
    )
    conversation: ConversationId | None = None


class Definition(Asked):
    """A segment definition (see `segassist schema`)."""

    definition: DefinitionJson = Field(examples=[LOYAL])


class Saved(Definition):
    """A definition and the name to save it under."""

    name: Whole = Field(min_length=1, max_length=80, examples=["Loyal"])


class Members(Definition):
    """A page of a definition's members."""

    offset: Offset = 0
    limit: Limit = 1000


class Sampled(Definition):
    """A definition and the share of the customers to estimate its size from; by default 5 %, and 200,000 at most."""

    share: Annotated[float, Field(gt=0, le=1)] | None = None


class Between(Definition):
    """A definition and two dates; the later one is by default the data's."""

    earlier: date = Field(examples=["2017-10-01"])
    later: date | None = None


class Movers(Between):
    """A page of those who entered or left between two dates."""

    which: Literal["entered", "left"]
    offset: Offset = 0
    limit: Limit = 1000


class NewExport(Definition):
    """A definition whose members are to be exported, and what to call the export. 'table': into the table of that name of
    the workspace's `export_database`. channel: only members who agreed to it (see `reachable` of a preview); default
    everyone. webhook: the name of one of the workspace's `webhooks`, which the file is then delivered to."""

    name: Whole = Field(min_length=1, max_length=80, examples=["spring-mailing"])
    format: Literal["csv", "parquet", "jsonl", "table"] = "csv"
    channel: Whole | None = Field(None, min_length=1, max_length=80, examples=["email"])
    webhook: Whole | None = Field(None, min_length=1, max_length=80, examples=["crm"])


class ExportProblem(BaseModel):
    """Why an export failed; the code is one of the API's problems."""

    code: str = Field(examples=["storage"])
    detail: str


class ExportJob(BaseModel):
    """An export at work. progress: 0 to 1; count: customers in the file; file: where it is when it is made. channel: only
    members who agreed to it; null for everyone. webhook: where it is delivered to before it is done; null for nowhere."""

    id: str = Field(examples=["20260102t030405-5f0c9a"])
    name: str = Field(examples=["spring-mailing"])
    format: str = Field(examples=["csv"])
    channel: str | None = None
    webhook: str | None = None
    state: Literal["queued", "running", "done", "failed", "cancelled"] = Field(examples=["running"])
    progress: float = Field(ge=0, le=1, examples=[0.5])
    step: str = Field(examples=["writing 1,298 customers"])
    count: int | None = None
    created_at: str
    ended_at: str | None = None
    problem: ExportProblem | None = None
    file: str | None = Field(None, examples=["/v1/exports/20260102t030405-5f0c9a/file"])


class Scores(Members):
    """A page of a definition's members with their probability of an outcome."""

    outcome: Whole = Field(max_length=200, examples=["purchase_30d"])


class OneScore(Asked):
    """One customer, by the retailer's own id, and an outcome."""

    customer: Whole = Field(min_length=1, max_length=200, examples=["1"])
    outcome: Whole = Field(max_length=200, examples=["purchase_30d"])


class Overlap(Asked):
    """Definitions to intersect, two at a time."""

    definitions: list[DefinitionJson] = Field(min_length=2, max_length=20, examples=[[LOYAL, {"all_of": []}]])


class SizeEstimate(BaseModel):
    """A size from a sample of the customers, with its interval at `level`; null when the group is too small for the
    caller to see."""

    size: int | None
    low: int | None
    high: int | None
    sampled: int
    population: int
    level: float = Field(examples=[0.95])


class SegmentChange(BaseModel):
    """Who moved between two dates: sizes at both, and how many entered, left and stayed; null when one of them is too
    small for the caller to see."""

    earlier: date
    later: date
    before: int | None
    after: int | None
    entered: int | None
    left: int | None
    stayed: int | None


class Segment(BaseModel):
    """A definition, counted. size: null when the group is too small for the caller to see; reachable: members
    who agreed to each channel, null likewise. estimate: in place of both, of very large data."""

    name: str | None
    definition: DefinitionJson
    hash: str
    size: int | None
    reachable: dict[str, int | None] = {}
    sql: str
    words: str
    estimate: SizeEstimate | None = None


class Answer(BaseModel):
    """One answered turn."""

    question: str
    answer: str
    language: str
    tool_calls: list[dict[str, Any]]
    segment: Segment | None
    evidence: list[dict[str, Any]]
    clarification: str | None
    refused: str | None
    confidence: Literal["high", "medium", "low"] | None = Field(
        description="That the description was read right, by two readings of it; null where it was not read twice."
    )
    follow_ups: list[str] = Field(
        default_factory=list, description="Questions that may be asked next, which this workspace can answer."
    )
    timings: dict[str, float]
    conversation: str
    turn: int = Field(description="Which of the conversation's it is, from 1.", examples=[1])


class Turn(BaseModel):
    """A turn of a conversation, as kept. number: from 1, of all there were."""

    number: int
    question: str
    answer: str
    tool: str | None
    definition: DefinitionJson | None


class Conversation(BaseModel):
    """A page of what was said, in the order it was, and the segment that 'them' means."""

    turns: list[Turn]
    segment: Segment | None


class KeptConversation(BaseModel):
    """One of the caller's conversations. title: its first question, or the name it was given; empty before the first
    question. shared: whether there is a link to it."""

    id: str
    title: str
    turns: int
    changed_at: str
    shared: bool


class Title(Asked):
    """What a conversation is called."""

    title: Whole = Field(min_length=1, max_length=80, examples=["Beer for the summer"])


class ShareLink(BaseModel):
    """By what others read a shared conversation. path: of the page, on this server."""

    token: str
    path: str


class SharedBy(Asked):
    """The token of a link. In the body: addresses are written to logs."""

    token: str = Field(
        max_length=300, pattern=r"^[A-Za-z0-9_.-]+$", examples=["spring-campaign.Zk3vQ0x8yB1nT5wH"]
    )
    offset: Offset = 0
    limit: Limit = TURNS


class SharedConversation(BaseModel):
    """What another user shared: a page of the turns there were when the link was made. owner: empty where there are no
    users."""

    title: str
    owner: str
    turns: list[Turn]


BUNDLE: dict[str, Any] = {
    "description": "The turn's bundle, as a file.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "additionalProperties": True},
            "example": {
                "format": 1,
                "question": "who bought beer?",
                "model": {"name": "Qwen2.5-Coder-1.5B-Instruct", "seed": 0},
                "replies": [{"asked": "5f0c9a1b2c3d4e5f", "said": {"tool": "define_segment"}}],
                "segment": {
                    "definition": LOYAL,
                    "hash": "0f1e2d3c4b5a6978",
                    "words": "...",
                    "sql": "SELECT ...",
                },
                "members": None,
                "withheld": ["segment.size", "members"],
                "evidence": [],
            },
        }
    },
    "headers": {"Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}}},
}


class Version(BaseModel):
    """One version of a saved segment."""

    version: int
    hash: str
    saved_at: str


class SavedAs(BaseModel):
    """What saving made."""

    name: str
    version: int
    hash: str


class SavedSegment(Version):
    """A saved segment at its newest version."""

    name: str
    definition: DefinitionJson
    words: str


class SavedSegmentVersions(SavedSegment):
    """A saved segment at one version, and a page of its versions, newest first."""

    versions: list[Version]


class NewPlan(Definition):
    """A segment whose campaign is to be planned. goal: by default what suits the segment; budget: in the currency; top:
    with the goal acquire_lookalikes, how many of the customers nearest to the segment, whom the plan then is for."""

    goal: Annotated[Whole, Field(max_length=40)] | None = None
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    top: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


PLAN_WORDS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The plan; with `Accept: text/markdown` or `text/html` in words, as a file, in the language of "
        "`Accept-Language`.",
        "content": {
            "text/markdown": {"schema": {"type": "string"}, "example": "## Strategy: Win back\n..."},
            "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>..."},
        },
        "headers": {"ETag": {"description": "This version's tag.", "schema": {"type": "string"}}},
    }
}


class Document(Version):
    """A saved plan or experiment. owner: who saved it first, empty when that is not known."""

    name: str
    owner: str


class DocumentVersions(Document):
    """A plan or an experiment at one version, and a page of its versions, newest first."""

    content: dict[str, Any]
    versions: list[Document]


class CampaignCustomer(BaseModel):
    """A customer of a plan or an experiment. tier: of the plan; of an experiment without one, the stratum that its arms
    are balanced in. offer: empty where there is none. definition: the hash of the segment's."""

    customer: str
    arm: Literal["contact", "holdout"]
    tier: str
    offer: str
    as_of: str
    definition: str


CUSTOMERS: dict[str, Any] = {
    "description": "One customer a row: source id, arm, tier, offer, as-of date, hash of the segment's definition.",
    "content": {
        "text/csv": {
            "schema": {"type": "string"},
            "example": "customer,arm,tier,offer,as_of,definition\n1042,contact,high,CHEESE,2018-01-01,0f1e2d3c4b5a6978\n",
        },
        "application/jsonl": {
            "schema": CampaignCustomer.model_json_schema(),
            "example": {
                "customer": "1042",
                "arm": "contact",
                "tier": "high",
                "offer": "CHEESE",
                "as_of": "2018-01-01",
                "definition": "0f1e2d3c4b5a6978",
            },
        },
    },
    "headers": {
        "ETag": {"description": "The tag of the version that they are of.", "schema": {"type": "string"}},
        "X-Total-Count": {"description": "How many rows there are.", "schema": {"type": "integer"}},
        "Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}},
    },
}


class MemberPage(BaseModel):
    """Source ids; `total` is the whole segment's size, `next` the offset of the next page."""

    total: int
    as_of: str
    members: list[str]
    next: int | None


class Score(BaseModel):
    """One customer's calibrated probability."""

    customer: str
    probability: float


class Driver(BaseModel):
    """What raises (above 0) or lowers a probability, as SHAP in log-odds against everyone's mean."""

    driver: str = Field(examples=["rhythm"])
    words: str
    words_zh: str
    effect: float


class ExplainedScore(Score):
    """One customer's calibrated probability beside everyone's mean, and what drives it, strongest first. above: the
    share of customers who are less likely."""

    outcome: str
    as_of: str
    everyone: float
    above: float
    drivers: list[Driver]


class ScorePage(BaseModel):
    """Members by probability, likeliest first."""

    outcome: str
    total: int
    as_of: str
    scores: list[Score]
    next: int | None


class OverlapMatrix(BaseModel):
    """`customers[i][j]` are in both definition i and j; null when too few to show."""

    customers: list[list[int | None]]


class ModelCard(BaseModel):
    """What a propensity model is, and how it did on the cut in time that it never saw; dates in ISO form."""

    outcome: str = Field(examples=["purchase_30d"])
    model: str
    train_cuts: list[str]
    validation_cuts: list[str]
    test_cut: str
    customers: int = Field(description="Of the test.")
    positives: int = Field(description="Of them, who did it.")
    auc: float
    auc_low: float
    auc_high: float
    level: float = Field(description="Of the interval of the AUC.")
    ece: float = Field(description="Mean distance between predicted and observed shares.")
    ece_bins: int
    brier: float
    lift_top_decile: float
    baseline_auc: float = Field(description="Of plain RFM.")
    baseline_ece: float
    baseline_features: list[str]
    features: list[str]
    rounds: int
    calibration: str
    served_cuts: list[str]
    scored_as_of: str
    data_hash: str
    code_version: str
    created: str
    categories: int = Field(description="Of a model of categories, how many its figures are the mean of.")
    family: str


class Feature(BaseModel):
    """A feature of the catalogue."""

    name: str
    type: str
    unit: str
    en: str
    zh: str
    levels: list[str]


class Tool(BaseModel):
    """A tool, as `POST /v1/tools/NAME` takes it."""

    name: str
    description: str
    permission: str
    arguments: dict[str, Any] = Field(description="JSON Schema")


class ToolResult(BaseModel):
    """What a tool returned: figures with their meaning and, where it has one, the segment."""

    evidence: list[dict[str, Any]]
    definition: DefinitionJson | None = None
    hash: str | None = None


class Me(BaseModel):
    """Who the key belongs to."""

    name: str
    role: str


class Health(BaseModel):
    """That the service answers, and the data's date."""

    status: str
    as_of: str


class Readiness(BaseModel):
    """Whether questions can be answered; each part is 'ok' or one sentence."""

    ready: bool
    parts: dict[str, str]


class AuditEntry(BaseModel):
    """One entry of the audit log."""

    seq: int
    at: str
    who: str
    role: str
    via: str
    action: str
    detail: dict[str, Any]
    hash: str
