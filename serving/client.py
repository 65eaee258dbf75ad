"""A typed client of the HTTP API.

with Client("https://segments.shop", key) as client:
    answer = client.ask("who spent over $500 last quarter?")
    for customer in client.members(answer.segment.definition):
        ...
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, cast
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from segments.atomic import sha256_of
from serving.http.schemas import (
    TURNS,
    Answer,
    AuditEntry,
    CampaignCustomer,
    Conversation,
    Document,
    DocumentVersions,
    ExplainedScore,
    ExportJob,
    Feature,
    KeptConversation,
    Me,
    ModelCard,
    Readiness,
    SavedAs,
    SavedSegment,
    SavedSegmentVersions,
    Segment,
    SegmentChange,
    SharedConversation,
    ShareLink,
    SizeEstimate,
    Tool,
    ToolResult,
    Turn,
    Version,
)

Definition = dict[str, Any]
PAGE = 5000
AUDIT_PAGE = 1000
TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.3
_Model = TypeVar("_Model", bound=BaseModel)
_One = TypeVar("_One")


class ApiError(Exception):
    """A problem that the API answered with. `code` is stable; `issues` has a definition's mistakes."""

    def __init__(self, status: int, code: str, detail: str, issues: Sequence[str] = ()) -> None:
        super().__init__(f"{detail} ({code})")
        self.status, self.code, self.detail, self.issues = status, code, detail, tuple(issues)


class Client:
    """One server and one key. Errors of the API are raised as ApiError, those of the network as httpx's."""

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:7860",
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Questions

    def ask(self, question: str, conversation: str | None = None) -> Answer:
        """Answer one turn; with the id of an answer's conversation, the next one."""
        return self._post(Answer, "/v1/ask", question=question, conversation=conversation)

    def stream(self, question: str, conversation: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """(event, data) as the turn goes on: `step`s, and last the `answer`."""
        body = {"question": question, "conversation": conversation}
        with self._http.stream("POST", "/v1/ask/stream", json=body) as response:
            if response.is_error:
                response.read()
                _raise(response)
            event = ""
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    data = json.loads(value)
                    if event == "error":
                        raise ApiError(response.status_code, data["code"], data["detail"])
                    yield event, data

    def conversation(self, conversation: str) -> Conversation:
        """What was said last, and the current segment."""
        return self._get(Conversation, _talk(conversation))

    def turns(self, conversation: str) -> Iterator[Turn]:
        """All that was said, the last turn first, fetched page by page."""
        return self._paged(
            _talk(conversation), TURNS, lambda page: Conversation.model_validate_json(page).turns[::-1]
        )

    def conversations(self) -> list[KeptConversation]:
        """The caller's conversations, the last changed first."""
        return self._every(KeptConversation, "/v1/conversations")

    def rename_conversation(self, conversation: str, title: str) -> None:
        """Give a conversation another title."""
        self._send("PUT", _talk(conversation) + "/title", json={"title": title})

    def delete_conversation(self, conversation: str) -> None:
        """Delete a conversation, its bundles and its link with it."""
        self._send("DELETE", _talk(conversation), headers=_once())

    def share_conversation(self, conversation: str) -> str:
        """A token for `shared`, by which other users may read the conversation as it is now; one made before ends."""
        return self._post(ShareLink, _talk(conversation) + "/share").token

    def unshare_conversation(self, conversation: str) -> None:
        """End the conversation's link."""
        self._send("DELETE", _talk(conversation) + "/share")

    def shared(self, token: str, offset: int = 0) -> SharedConversation:
        """What another user shared, to read: the last turns, before the last `offset` ones."""
        return self._post(SharedConversation, "/v1/shared", token=token, offset=offset)

    def bundle(self, conversation: str, turn: int | None = None) -> dict[str, Any]:
        """A turn with everything it came from, of the last one by default; `assistant.bundle` replays it."""
        params = {} if turn is None else {"turn": turn}
        path = _talk(conversation) + "/bundle"
        return cast(dict[str, Any], self._send("GET", path, params=params).json())

    # Segments

    def preview(self, definition: Definition) -> Segment:
        """Count a definition."""
        return self._post(Segment, "/v1/segments/preview", definition=definition)

    def estimate(self, definition: Definition, share: float | None = None) -> SizeEstimate:
        """The size from a sample of a share of the customers (by default the server's), with its interval."""
        return self._post(SizeEstimate, "/v1/segments/estimate", definition=definition, share=share)

    def diff(self, definition: Definition, earlier: date, later: date | None = None) -> SegmentChange:
        """How many entered, left and stayed between two dates; the later one is by default the data's."""
        dates = _dates(earlier, later)
        return self._post(SegmentChange, "/v1/segments/diff", definition=definition, **dates)

    def movers(
        self,
        definition: Definition,
        which: Literal["entered", "left"],
        earlier: date,
        later: date | None = None,
    ) -> Iterator[str]:
        """The source ids of those who entered or left between two dates, fetched page by page."""
        dates = _dates(earlier, later)
        for page in self._pages("/v1/segments/diff/members", definition=definition, which=which, **dates):
            yield from page["members"]

    def members(self, definition: Definition) -> Iterator[str]:
        """The members' source ids, fetched page by page."""
        for page in self._pages("/v1/segments/members", definition=definition):
            yield from page["members"]

    def scores(self, definition: Definition, outcome: str) -> Iterator[tuple[str, float]]:
        """(source id, calibrated probability), likeliest first."""
        for page in self._pages("/v1/propensity/scores", definition=definition, outcome=outcome):
            yield from ((row["customer"], row["probability"]) for row in page["scores"])

    def score(self, customer: str, outcome: str) -> ExplainedScore:
        """One customer's calibrated probability, by the retailer's own id, and what drives it."""
        return self._post(ExplainedScore, "/v1/propensity/score", customer=customer, outcome=outcome)

    def overlap(self, definitions: Sequence[Definition]) -> list[list[int | None]]:
        """Customers in both, for every two definitions."""
        found = self._send("POST", "/v1/segments/overlap", json={"definitions": list(definitions)})
        return cast(list[list[int | None]], found.json()["customers"])

    def segments(self) -> list[SavedSegment]:
        """Every saved segment at its newest version."""
        return self._every(SavedSegment, "/v1/segments")

    def segment(self, name: str, version: int | None = None) -> SavedSegmentVersions:
        """A saved segment with its newest versions."""
        params = {} if version is None else {"version": version}
        return self._get(SavedSegmentVersions, _path(name), params=params)

    def versions(self, name: str) -> Iterator[Version]:
        """Every version of a saved segment, the newest first, fetched page by page."""
        return self._versions(SavedSegmentVersions, _path(name))

    def save(self, name: str, definition: Definition, over: SavedSegment | None = None) -> SavedAs:
        """Save a new version; with `over`, only when that is still the newest. A lost answer may be asked for again."""
        answer = self._send("PUT", _path(name), json={"definition": definition}, headers=_once(over))
        return SavedAs.model_validate_json(answer.content)

    def delete(self, name: str, over: SavedSegment | None = None) -> None:
        """Delete a saved segment; with `over`, only when that is still the newest version."""
        self._send("DELETE", _path(name), headers=_once(over))

    # Plans and experiments

    def plans(self) -> list[Document]:
        """Every saved plan at its newest version, without its content."""
        return self._every(Document, "/v1/plans")

    def plan(self, name: str, version: int | None = None) -> DocumentVersions:
        """A saved plan with its newest versions."""
        return self._document("/v1/plans", name, version)

    def plan_versions(self, name: str) -> Iterator[Version]:
        """Every version of a saved plan, the newest first, fetched page by page."""
        return self._versions(DocumentVersions, f"/v1/plans/{quote(name, safe='')}")

    def plan_words(self, name: str, language: str = "en", *, html: bool = False) -> str:
        """A saved plan in words ('en' or 'zh'), as Markdown or as one HTML page."""
        headers = {"Accept": "text/html" if html else "text/markdown", "Accept-Language": language}
        return self._send("GET", f"/v1/plans/{quote(name, safe='')}", headers=headers).text

    def delete_plan(self, name: str, over: Document | None = None) -> None:
        """Delete a saved plan; with `over`, only when that is still the newest version."""
        self._send("DELETE", f"/v1/plans/{quote(name, safe='')}", headers=_once(over))

    def save_plan(
        self,
        name: str,
        definition: Definition,
        *,
        goal: str | None = None,
        budget: float | None = None,
        top: int | None = None,
        over: Document | None = None,
    ) -> Document:
        """Plan a segment's campaign and save a new version; with `over`, only when that is still the newest. top: how
        many lookalikes, with the goal acquire_lookalikes."""
        body = {"definition": definition, "goal": goal, "budget": budget, "top": top}
        answer = self._send("PUT", f"/v1/plans/{quote(name, safe='')}", json=body, headers=_once(over))
        return Document.model_validate_json(answer.content)

    def experiments(self) -> list[Document]:
        """Every experiment at its newest version, without its content."""
        return self._every(Document, "/v1/experiments")

    def experiment(self, name: str, version: int | None = None) -> DocumentVersions:
        """An experiment with its newest versions; `client.call("assign_holdout", ...)` begins one."""
        return self._document("/v1/experiments", name, version)

    def experiment_versions(self, name: str) -> Iterator[Version]:
        """Every version of an experiment, the newest first, fetched page by page."""
        return self._versions(DocumentVersions, f"/v1/experiments/{quote(name, safe='')}")

    def delete_experiment(self, name: str, over: Document | None = None) -> None:
        """Delete an experiment; with `over`, only when that is still the newest version."""
        self._send("DELETE", f"/v1/experiments/{quote(name, safe='')}", headers=_once(over))

    def plan_customers(self, name: str, arm: str | None = None) -> list[CampaignCustomer]:
        """Who is in a saved plan, or in one arm of it ('contact' or 'holdout'), with tier and offer."""
        return self._customers("/v1/plans", name, arm)

    def experiment_customers(self, name: str, arm: str | None = None) -> list[CampaignCustomer]:
        """Who is in an experiment, or in one arm of it ('contact' or 'holdout')."""
        return self._customers("/v1/experiments", name, arm)

    # Exports

    def export(
        self,
        definition: Definition,
        name: str,
        file_format: str = "csv",
        channel: str | None = None,
        webhook: str | None = None,
    ) -> ExportJob:
        """Have the members exported. It goes on by itself; `wait_for` and `download` take what this returns. With
        'table' they are also put into the table `name` of the server's `export_database`. channel: only those who agreed
        to it. webhook: which of the server's `webhooks` the file is delivered to."""
        asked = {"name": name, "format": file_format, "channel": channel, "webhook": webhook}
        body = {"definition": definition, **asked}
        answer = self._send("POST", "/v1/exports", json=body, headers=_once())
        return ExportJob.model_validate_json(answer.content)

    def export_job(self, job_id: str) -> ExportJob:
        """How far an export is."""
        return self._get(ExportJob, f"/v1/exports/{quote(job_id, safe='')}")

    def exports(self) -> list[ExportJob]:
        """Every export job of the key's user (an admin's: everybody's), the newest first."""
        return self._every(ExportJob, "/v1/exports")

    def wait_for(self, job: ExportJob, seconds: float = 600.0) -> ExportJob:
        """The job when it is done. Raises ApiError when it failed or was cancelled, TimeoutError."""
        until = time.monotonic() + seconds
        while (job := self.export_job(job.id)).state in ("queued", "running"):
            if time.monotonic() > until:
                raise TimeoutError(f"Export {job.id} is still {job.state} ({job.step}) after {seconds:g} s.")
            time.sleep(POLL_SECONDS)
        if job.problem is not None:
            raise ApiError(200, job.problem.code, job.problem.detail)
        if job.state == "cancelled":
            raise ApiError(200, "cancelled", f"Export {job.id} was cancelled.")
        return job

    def cancel(self, job: ExportJob) -> ExportJob:
        """Stop an export that has not ended."""
        answer = self._send("DELETE", f"/v1/exports/{quote(job.id, safe='')}")
        return ExportJob.model_validate_json(answer.content)

    def deliver_again(self, job: ExportJob) -> ExportJob:
        """Have a delivery that failed tried again."""
        answer = self._send("POST", f"/v1/exports/{quote(job.id, safe='')}/delivery", headers=_once())
        return ExportJob.model_validate_json(answer.content)

    def download(self, job: ExportJob, path: Path) -> None:
        """Write an export's file, whole or not at all; its SHA-256 is checked."""
        partial = path.with_name(f"{path.name}.partial")
        try:
            with self._http.stream("GET", f"/v1/exports/{quote(job.id, safe='')}/file") as response:
                if response.is_error:
                    response.read()
                    _raise(response)
                with partial.open("wb") as file:
                    file.writelines(response.iter_bytes())
            if f'"{sha256_of(partial)}"' != response.headers["etag"]:
                raise ApiError(200, "checksum_mismatch", f"The file of export {job.id} did not arrive whole.")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    # Tools and catalogue

    def tools(self) -> list[Tool]:
        """The tools that the key's role may use, with the schema of their arguments."""
        return TypeAdapter(list[Tool]).validate_json(self._send("GET", "/v1/tools").content)

    def call(self, tool: str, **arguments: Any) -> ToolResult:
        """Run a tool: `client.call("plan_strategy", definition=..., budget=5000)`."""
        return self._post(ToolResult, f"/v1/tools/{quote(tool, safe='')}", **arguments)

    def features(self) -> list[Feature]:
        """The feature catalogue."""
        return TypeAdapter(list[Feature]).validate_json(self._send("GET", "/v1/features").content)

    def values(self) -> dict[str, list[str]]:
        """The departments, categories and brands that somebody bought, by spend, largest first."""
        return TypeAdapter(dict[str, list[str]]).validate_json(self._send("GET", "/v1/values").content)

    def models(self) -> list[ModelCard]:
        """The propensity models' cards."""
        return TypeAdapter(list[ModelCard]).validate_json(self._send("GET", "/v1/propensity").content)

    def audit(self) -> Iterator[AuditEntry]:
        """The audit log, the newest entry first, fetched page by page."""
        before: dict[str, int] = {}
        while True:
            answer = self._send("GET", "/v1/audit", params={"last": AUDIT_PAGE} | before)
            page = TypeAdapter(list[AuditEntry]).validate_json(answer.content)
            yield from reversed(page)
            if len(page) < AUDIT_PAGE:
                return
            before = {"before": page[0].seq}

    def me(self) -> Me:
        """Who the key belongs to."""
        return self._get(Me, "/v1/me")

    def ready(self) -> Readiness:
        """Whether questions can be answered, part by part."""
        return Readiness.model_validate_json(self._http.get("/readyz").content)

    def _pages(self, path: str, **body: Any) -> Iterator[dict[str, Any]]:
        offset: int | None = 0
        while offset is not None:
            page = self._send("POST", path, json=body | {"offset": offset, "limit": PAGE}).json()
            yield page
            offset = page["next"]

    def _every(self, model: type[_Model], path: str) -> list[_Model]:
        return list(
            self._paged(path, PAGE, lambda page: [model.model_validate(one) for one in json.loads(page)])
        )

    def _versions(
        self, model: type[SavedSegmentVersions] | type[DocumentVersions], path: str
    ) -> Iterator[Version]:
        return self._paged(path, PAGE, lambda page: model.model_validate_json(page).versions)

    def _paged(self, path: str, size: int, read: Callable[[bytes], Sequence[_One]]) -> Iterator[_One]:
        """Everything of a list, fetched page by page; read: what a page holds of it."""
        seen = 0
        while True:
            answer = self._send("GET", path, params={"offset": seen, "limit": size})
            page = read(answer.content)
            yield from page
            seen += len(page)
            if not page or seen >= int(answer.headers["X-Total-Count"]):
                return

    def _document(self, path: str, name: str, version: int | None) -> DocumentVersions:
        params = {} if version is None else {"version": version}
        return self._get(DocumentVersions, f"{path}/{quote(name, safe='')}", params=params)

    def _customers(self, path: str, name: str, arm: str | None) -> list[CampaignCustomer]:
        params = {"format": "jsonl"} | ({} if arm is None else {"arm": arm})
        answer = self._send("GET", f"{path}/{quote(name, safe='')}/customers", params=params)
        return [CampaignCustomer.model_validate_json(line) for line in answer.content.splitlines()]

    def _get(self, model: type[_Model], path: str, **more: Any) -> _Model:
        return model.model_validate_json(self._send("GET", path, **more).content)

    def _post(self, model: type[_Model], path: str, **body: Any) -> _Model:
        return model.model_validate_json(self._send("POST", path, json=body).content)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self._http.request(method, path, **more)
        if response.is_error:
            _raise(response)
        return response


def _raise(response: httpx.Response) -> None:
    try:
        problem = response.json()
        raise ApiError(response.status_code, problem["code"], problem["detail"], problem.get("issues") or ())
    except (ValueError, KeyError, TypeError):
        raise ApiError(response.status_code, "error", response.text[:200]) from None


def _dates(earlier: date, later: date | None) -> dict[str, str]:
    return {"earlier": earlier.isoformat()} | ({} if later is None else {"later": later.isoformat()})


def _talk(conversation: str) -> str:
    return f"/v1/conversations/{quote(conversation, safe='')}"


def _path(name: str) -> str:
    return f"/v1/segments/{quote(name, safe='')}"


def _once(over: Version | None = None) -> dict[str, str]:
    """Headers of a change that is done once, however often it is sent, and only over the version that was seen."""
    seen = {} if over is None else {"If-Match": f'"{over.version}-{over.hash}"'}
    return {"Idempotency-Key": uuid.uuid4().hex} | seen
