"""Exports over HTTP: a job is made (202), looked at while it goes on, cancelled, and its file fetched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from serving.http import schemas
from serving.http.files import WholeFile
from serving.http.idempotency import IdempotentRoute, declare
from serving.http.problems import asked_for
from serving.http.who import Exporter
from serving.jobs import Job
from serving.service import Service

JobId = Annotated[str, Path(max_length=32, examples=["20260102t030405-5f0c9a"])]
LOCATED: dict[str, Any] = {
    "description": "The export is on its way; Location says where to look.",
    "headers": {"Location": {"description": "The job.", "schema": {"type": "string"}}},
}
FILE: dict[str, Any] = {
    "description": "The members' source ids, one a row, column `customer`.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    "headers": {"ETag": {"description": "The file's SHA-256.", "schema": {"type": "string"}}},
}


def export_routes(service: Service) -> APIRouter:
    """Routes under /v1/exports."""
    router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=IdempotentRoute)

    @router.post("", status_code=202, responses={202: LOCATED}, dependencies=[Depends(declare)])
    def start(
        body: schemas.NewExport, caller: Exporter, request: Request, response: Response
    ) -> schemas.ExportJob:
        """Export a definition's members: a job, whose progress is at its Location. Written to the audit log."""
        definition, channel, webhook = service.read(body.definition), body.channel or "", body.webhook or ""
        job = service.start_export(caller, definition, body.name, body.format, channel, webhook)
        return _accepted(job, request, response)

    @router.get("")
    def exports(
        caller: Exporter,
        request: Request,
        response: Response,
        offset: Annotated[schemas.Offset, Query()] = 0,
        limit: Annotated[schemas.Limit, Query()] = 100,
    ) -> list[schemas.ExportJob]:
        """The caller's export jobs, newest first; an admin sees everybody's. `X-Total-Count` says how many."""
        jobs, total = service.exports(caller, offset, limit)
        response.headers["X-Total-Count"] = str(total)
        return [_shown(job, request) for job in jobs]

    @router.get("/{job}")
    def export(job: JobId, caller: Exporter, request: Request) -> schemas.ExportJob:
        """How far an export is."""
        return _shown(service.export_job(caller, job), request)

    @router.delete("/{job}", dependencies=[Depends(declare)])
    def cancel(job: JobId, caller: Exporter, request: Request) -> schemas.ExportJob:
        """Stop an export that has not ended; nothing of it is left. Of one that is being delivered the file is kept."""
        return _shown(service.cancel_export(caller, job), request)

    @router.post(
        "/{job}/delivery", status_code=202, responses={202: LOCATED}, dependencies=[Depends(declare)]
    )
    def deliver(job: JobId, caller: Exporter, request: Request, response: Response) -> schemas.ExportJob:
        """Have a delivery that failed tried again: the same file, with the same `Idempotency-Key`."""
        return _accepted(service.deliver_again(caller, job), request, response)

    @router.get("/{job}/file", response_class=WholeFile, responses={200: FILE})
    def file(job: JobId, caller: Exporter) -> WholeFile:
        """The file of an export that is made, whole (`Range` is not offered). Written to the audit log."""
        path, manifest = service.exported_file(caller, job)
        name = f"{manifest.name}{path.suffix}"
        headers = {"ETag": f'"{manifest.sha256}"'}
        return WholeFile(path, media_type="application/octet-stream", filename=name, headers=headers)

    return router


def _accepted(job: Job, request: Request, response: Response) -> schemas.ExportJob:
    response.headers["Location"] = f"/v1/exports/{job.id}"
    return _shown(job, request)


def _shown(job: Job, request: Request) -> schemas.ExportJob:
    chinese = asked_for(request.headers) == "zh" and job.detail_zh
    detail = (job.detail_zh if chinese else job.detail) or ""
    problem = None if job.code is None else schemas.ExportProblem(code=job.code, detail=detail)
    return schemas.ExportJob(
        id=job.id,
        name=job.name,
        format=job.format,
        channel=job.channel or None,
        webhook=job.webhook or None,
        state=job.state,
        progress=job.progress,
        step=job.step,
        count=job.count,
        created_at=job.created_at.isoformat(),
        ended_at=None if job.ended_at is None else job.ended_at.isoformat(),
        problem=problem,
        file=f"/v1/exports/{job.id}/file" if job.has_file else None,
    )
