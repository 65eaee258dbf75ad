"""Conversations over HTTP: listed, read, named, deleted, shared by a link that others may read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from assistant.bundle import bundle_text
from segments.errors import NotFoundError
from serving.http import schemas
from serving.http.idempotency import UNKEYED, IdempotentRoute, declare
from serving.http.who import Asker
from serving.service import Service

Own = Annotated[schemas.ConversationId, Path()]
COUNTED: dict[str, Any] = {
    "headers": {"X-Total-Count": {"description": "How many turns there were.", "schema": {"type": "integer"}}}
}


def conversation_routes(service: Service) -> APIRouter:
    """Routes under /v1/conversations, and /v1/shared."""
    router = APIRouter(prefix="/v1", tags=["questions"], route_class=IdempotentRoute)
    _read(router, service)
    _change(router, service)
    router.include_router(_links(service))
    return router


def _read(router: APIRouter, service: Service) -> None:
    @router.get("/conversations")
    def conversations(
        caller: Asker,
        response: Response,
        offset: Annotated[schemas.Offset, Query()] = 0,
        limit: Annotated[schemas.Limit, Query()] = 100,
    ) -> list[schemas.KeptConversation]:
        """The caller's conversations, the last changed first. `X-Total-Count` says how many there are."""
        found, total = service.conversations(caller, offset, limit)
        response.headers["X-Total-Count"] = str(total)
        return [schemas.KeptConversation(**vars(kept)) for kept in found]

    @router.get("/conversations/{conversation}", responses={200: COUNTED})
    def conversation(
        conversation: Own,
        caller: Asker,
        response: Response,
        offset: Annotated[schemas.Offset, Query(description="How many of the last turns to leave out.")] = 0,
        limit: Annotated[schemas.Limit, Query()] = schemas.TURNS,
    ) -> schemas.Conversation:
        """What was said last in a conversation, in the order it was said, and its current segment. With `offset`, the
        turns before those: `X-Total-Count` says how many there were."""
        turns, total, segment = service.conversation(caller, conversation, offset, limit)
        if not total and segment is None:
            raise NotFoundError(f"There is no conversation '{conversation}'.", f"没有对话“{conversation}”。")
        response.headers["X-Total-Count"] = str(total)
        shown = None if segment is None else schemas.Segment(**service.preview(caller, segment))
        return schemas.Conversation(turns=[schemas.Turn(**turn) for turn in turns], segment=shown)

    @router.get(
        "/conversations/{conversation}/bundle", responses={200: schemas.BUNDLE}, response_class=Response
    )
    def bundle(
        conversation: Own,
        caller: Asker,
        turn: Annotated[int | None, Query(ge=1, le=2**31, description="By default the last one.")] = None,
    ) -> Response:
        """A turn with everything it came from, as a file that `segassist replay` runs again. Below an analyst it does
        not say how many and who the members are (`withheld`). Written to the audit log."""
        found = service.bundle(caller, conversation, turn)
        name = f'attachment; filename="{conversation}.bundle.json"'
        return Response(
            bundle_text(found), media_type="application/json", headers={"Content-Disposition": name}
        )


def _change(router: APIRouter, service: Service) -> None:
    @router.put("/conversations/{conversation}/title", dependencies=[Depends(declare)])
    def rename_conversation(conversation: Own, body: schemas.Title, caller: Asker) -> schemas.Title:
        """Give a conversation another title. The first one is its first question."""
        return schemas.Title(title=service.rename_conversation(caller, conversation, body.title))

    @router.delete("/conversations/{conversation}", status_code=204, dependencies=[Depends(declare)])
    def delete_conversation(conversation: Own, caller: Asker) -> None:
        """Delete a conversation, its bundles and its link with it."""
        service.delete_conversation(caller, conversation)


def _links(service: Service) -> APIRouter:
    """Without kept answers: a link's secret is kept nowhere."""
    router = APIRouter()

    @router.post("/conversations/{conversation}/share", status_code=201, dependencies=UNKEYED)
    def share_conversation(conversation: Own, caller: Asker) -> schemas.ShareLink:
        """Make a link by which other users of this workspace who may ask questions can read the conversation as it is
        now; not its later turns, and they cannot write in it. A link made before ends. Written to the audit log."""
        token = service.share_conversation(caller, conversation)
        return schemas.ShareLink(token=token, path=f"/?shared={token}")

    @router.delete("/conversations/{conversation}/share", status_code=204, dependencies=UNKEYED)
    def unshare_conversation(conversation: Own, caller: Asker) -> None:
        """End the conversation's link."""
        service.unshare_conversation(caller, conversation)

    @router.post("/shared", responses={200: COUNTED})
    def shared_conversation(
        body: schemas.SharedBy, caller: Asker, response: Response
    ) -> schemas.SharedConversation:
        """What another user shared, to read: the last turns, or with `offset` those before them. `X-Total-Count` says how
        many there are. Written to the audit log."""
        found = service.shared_conversation(caller, body.token, body.offset, body.limit)
        response.headers["X-Total-Count"] = str(found.total)
        turns = [schemas.Turn(**turn) for turn in found.turns]
        return schemas.SharedConversation(title=found.title, owner=found.space.rstrip(":"), turns=turns)

    return router
