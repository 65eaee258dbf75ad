"""The sign-in page: an API key, or a provider's word, is exchanged for a cookie with a key of its own, which ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from html import escape

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from segments.errors import NotFoundError, OperatorError, SegAssistError, UnauthenticatedError
from segments.issues import in_language
from serving.access import Caller
from serving.http.guard import COOKIE
from serving.http.problems import asked_for, status_of
from serving.oidc import Attempt, Provider, provider_of
from serving.service import Service

PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{sign_in}: segment-assistant</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;margin:0}}
form{{display:grid;gap:.6rem;width:min(22rem,90vw)}}input,button{{font:inherit;padding:.5rem}}
p[role=alert]{{color:#b00020;margin:0}}</style>
<form method="post" action="/signin"><h1>segment-assistant</h1>{said}
<label for="key">{key}</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>{sign_in}</button>{other}</form></html>"""
OTHER = '<a href="/signin/provider">{provider}</a>'
WORDS = {
    "en": {"sign_in": "Sign in", "key": "API key", "provider": "Sign in with your organisation"},
    "zh": {"sign_in": "登录", "key": "API 密钥", "provider": "用您所在机构的账号登录"},
}
ATTEMPT, ATTEMPT_SECONDS = "segassist_signin", 600
"""The cookie that a sign-in on its way has, and how long it may take."""


def add_signin(api: FastAPI, service: Service) -> None:
    """/signin and /signout, for people."""
    provider = provider_of(service.rooms.workspace.settings)

    def show(request: Request, error: SegAssistError | None = None) -> HTMLResponse:
        language = asked_for(request.headers)
        told = f'<p role="alert">{escape(in_language(error, language))}</p>' if error else ""
        words = WORDS[language]
        other = OTHER.format(**words) if provider else ""
        page = PAGE.format(language=language, said=told, other=other, **words)
        return HTMLResponse(page, status_of(error) if error else 200, {"Vary": "Accept-Language"})

    @api.get("/signin", include_in_schema=False)
    def page(request: Request) -> HTMLResponse:
        return show(request)

    @api.post("/signin", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = await request.form()
        try:
            key = str(form.get("key", "")).strip()
            session = await run_in_threadpool(lambda: _session_of(service, key))
        except UnauthenticatedError as error:
            return show(request, error)
        return _signed_in(request, service, session)

    @api.post("/signout", include_in_schema=False)
    def sign_out(request: Request) -> Response:
        with suppress(UnauthenticatedError, NotFoundError):  # signed out already
            caller = service.users.caller(request.cookies.get(COOKIE, ""))
            with service.changing(caller.by("page"), "sign_out"):
                service.users.revoke_key(caller.key)
        response = RedirectResponse("/signin", 303)
        response.delete_cookie(COOKIE)
        return response

    if provider is not None:
        _add_provider(api, service, provider, show)


def _add_provider(
    api: FastAPI,
    service: Service,
    provider: Provider,
    show: Callable[[Request, SegAssistError], HTMLResponse],
) -> None:
    """/signin/provider, which sends the browser there, and /signin/callback, where it comes back."""

    def callback_of(request: Request) -> str:
        return str(request.url.replace(path="/signin/callback", query=""))

    @api.get("/signin/provider", include_in_schema=False)
    def begin(request: Request) -> Response:
        attempt = Attempt.new()
        try:
            response = RedirectResponse(provider.begin(attempt, callback_of(request)), 303)
        except OperatorError as error:
            return show(request, error)
        _set(request, response, ATTEMPT, attempt.write(), ATTEMPT_SECONDS)
        return response

    @api.get("/signin/callback", include_in_schema=False)
    def finish(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        try:
            if error:
                raise UnauthenticatedError(
                    "The provider did not sign you in; try again.", "登录服务没有让您登录；请再试一次。"
                )
            attempt = Attempt.read(request.cookies.get(ATTEMPT, ""))
            who = provider.finish(attempt, state, code, callback_of(request))
            known = service.users.name_of(who.subject) or who.name
            with service.changing(Caller(known, who.role, "page"), "sign_in"):
                name = service.users.signed_in(who.subject, who.name, who.role)
                session = service.users.new_session(name, service.session_lasts)
        except SegAssistError as problem:
            return show(request, problem)
        response = _signed_in(request, service, session)
        response.delete_cookie(ATTEMPT)
        return response


def _session_of(service: Service, key: str) -> str:
    """A browser's session for whoever has a key; it ends with that key."""
    caller = service.users.caller(key)
    with service.changing(caller.by("page"), "sign_in"):
        return service.users.new_session(caller.name, service.session_lasts, caller.key)


def _signed_in(request: Request, service: Service, session: str) -> Response:
    response = RedirectResponse("/", 303)
    _set(request, response, COOKIE, session, int(service.session_lasts.total_seconds()))
    return response


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
