"""The sign-in page: an API key is exchanged for a cookie with a key of its own, which ends by itself."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from html import escape

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from segments.errors import NotFoundError, UnauthenticatedError
from serving.http.guard import COOKIE
from serving.service import Service
from serving.users import SESSION_HOURS

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in: segment-assistant</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;margin:0}}
form{{display:grid;gap:.6rem;width:min(22rem,90vw)}}input,button{{font:inherit;padding:.5rem}}
p[role=alert]{{color:#b00020;margin:0}}</style>
<form method="post" action="/signin"><h1>segment-assistant</h1>{said}
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form></html>"""


def add_signin(api: FastAPI, service: Service) -> None:
    """/signin and /signout, for people."""

    @api.get("/signin", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(PAGE.format(said=""))

    @api.post("/signin", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = await request.form()
        try:
            session = await run_in_threadpool(_session, service, str(form.get("key", "")).strip())
        except UnauthenticatedError as error:
            said = f'<p role="alert">{escape(str(error))}</p>'
            return HTMLResponse(PAGE.format(said=said), 401)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            session,
            max_age=SESSION_HOURS * 3600,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    @api.post("/signout", include_in_schema=False)
    def sign_out(request: Request) -> Response:
        with suppress(UnauthenticatedError, NotFoundError):  # signed out already
            service.users.revoke_key(service.users.caller(request.cookies.get(COOKIE, "")).key)
        response = RedirectResponse("/signin", 303)
        response.delete_cookie(COOKIE)
        return response


def _session(service: Service, key: str) -> str:
    caller = service.users.caller(key).by("page")
    session = service.users.new_key(caller.name, timedelta(hours=SESSION_HOURS))
    service.log(caller, "sign_in")
    return session
