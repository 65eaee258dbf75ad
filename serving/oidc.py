"""Sign-in by the organisation's own provider: OpenID Connect, authorization code with PKCE.

The provider says who it is and in which role (a claim that holds the name of one of our roles; the highest counts). A
person becomes a user with their first sign-in, known from then on by the provider's own id of them, and has the role
that the provider said at the last one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import httpx

from assistant.workspace import Settings
from segments.errors import ForbiddenError, OperatorError, UnauthenticatedError
from serving.access import Role

SECRET_VARIABLE = "SEGASSIST_OIDC_SECRET"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures with a public key only: never `none`, and never one whose key the client also has."""
LEEWAY_SECONDS = 60
KEYS_SECONDS = 3600.0
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Attempt:
    """One sign-in on its way, kept by the browser: what the provider must send back, and what proves that it is ours."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """Fresh random values."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def read(cls, text: str) -> Attempt:
        """From `write`. Raises UnauthenticatedError."""
        try:
            values = json.loads(base64.urlsafe_b64decode(text))
            return cls(str(values["state"]), str(values["nonce"]), str(values["verifier"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnauthenticatedError(
                "This sign-in was not begun in this browser; begin it again.",
                "这次登录不是在这个浏览器里开始的；请重新开始。",
            ) from error

    def write(self) -> str:
        """As text for a cookie."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


@dataclass(frozen=True)
class Identity:
    """Who a provider says it is. subject: the provider's lasting id of them; name: what they are called here."""

    subject: str
    name: str
    role: Role


class Provider:
    """One provider, by its issuer's address. Raises OperatorError when it does not answer as one."""

    def __init__(self, issuer: str, client_id: str, role_claim: str, secret: str = "") -> None:
        self.issuer, self.client_id = issuer.rstrip("/"), client_id
        self._claim, self._secret = role_claim, secret
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS)
        self._keys: Any = None
        self._keys_at = 0.0

    def check(self) -> None:
        """Raise OperatorError unless it answers as a provider."""
        self._about  # noqa: B018

    def begin(self, attempt: Attempt, redirect: str) -> str:
        """Where the browser goes to sign in."""
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        where = str(self._about["authorization_endpoint"])
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"

    def finish(self, attempt: Attempt, state: str, code: str, redirect: str) -> Identity:
        """Who signed in. Raises UnauthenticatedError, and ForbiddenError for somebody without a role here."""
        if not secrets.compare_digest(attempt.state.encode(), state.encode()) or not code:
            raise UnauthenticatedError(
                "This sign-in was not begun in this browser; begin it again.",
                "这次登录不是在这个浏览器里开始的；请重新开始。",
            )
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
            "client_id": self.client_id,
        }
        basic = (self.client_id, self._secret) if self._secret else None
        answer = self._send("POST", str(self._about["token_endpoint"]), data=form, auth=basic)
        if answer.status_code in (400, 401):
            raise UnauthenticatedError(
                "The provider does not take this sign-in (any more); begin it again.",
                "登录服务不（再）接受这次登录；请重新开始。",
            )
        claims = self._claims(str(self._json(answer).get("id_token", "")), attempt.nonce)
        return Identity(f"{self.issuer}|{claims['sub']}"[:255], _name(claims), self._role(claims))

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an id token that holds: signature, issuer, audience, time and nonce."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": str(self._about["issuer"])},
            "aud": {"essential": True, "value": self.client_id},
            "nonce": {"essential": True, "value": nonce},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        try:
            decoded = jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **wanted).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            self._keys = None  # the provider may have changed its keys
            raise UnauthenticatedError(
                f"The provider's word does not hold ({type(error).__name__}); begin the sign-in again.",
                f"登录服务的说明无效（{type(error).__name__}）；请重新登录。",
            ) from error
        return dict(decoded.claims)

    def _role(self, claims: dict[str, Any]) -> Role:
        said = claims.get(self._claim, [])
        names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        roles = [Role[name] for name in names if name in Role.__members__]
        if not roles:
            raise ForbiddenError(
                f"You are signed in, and have no role here: "
                f"'{self._claim}' must hold one of {', '.join(Role.__members__)}.",
                f"您已登录，但在这里没有角色：“{self._claim}”必须含有{'、'.join(Role.__members__)}之一。",
            )
        return max(roles)

    @cached_property
    def _about(self) -> dict[str, Any]:
        about = self._json(self._send("GET", f"{self.issuer}/.well-known/openid-configuration"))
        if str(about.get("issuer", "")).rstrip("/") != self.issuer:
            raise OperatorError(
                f"oidc_issuer: {self.issuer} calls itself {about.get('issuer')!r}; correct it."
            )
        missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - about.keys()
        if missing:
            raise OperatorError(f"oidc_issuer: {self.issuer} names no {', '.join(sorted(missing))}.")
        return about

    def _key_set(self) -> Any:
        from joserfc.jwk import KeySet

        if self._keys is None or time.monotonic() - self._keys_at > KEYS_SECONDS:
            self._keys = KeySet.import_key_set(self._json(self._send("GET", str(self._about["jwks_uri"]))))  # type: ignore[arg-type]
            self._keys_at = time.monotonic()
        return self._keys

    def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, url, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OperatorError(
                f"The sign-in provider {self.issuer} cannot be reached; try again."
            ) from error
        if answer.status_code >= 500 or (method == "GET" and answer.status_code != 200):
            raise OperatorError(
                f"The sign-in provider {self.issuer} answered {answer.status_code}; try again."
            )
        return answer

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OperatorError(
                f"The sign-in provider {self.issuer} answered something that is not its protocol."
            )
        return found


def provider_of(settings: Settings) -> Provider | None:
    """The provider that a workspace's settings name; None when they name none. Raises OperatorError."""
    if not settings.oidc_issuer:
        return None
    try:
        import joserfc  # noqa: F401
    except ModuleNotFoundError as error:
        raise OperatorError(
            "oidc_issuer is set and joserfc is not installed; run: pip install 'segment-assistant[oidc]'"
        ) from error
    if not settings.oidc_client_id:
        raise OperatorError("oidc_client_id: must be set where oidc_issuer is.")
    secret = os.environ.get(SECRET_VARIABLE, "")
    return Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_role_claim, secret)


def _name(claims: dict[str, Any]) -> str:
    """A name of a user (see `users.USER_NAME`), the first that the provider tells."""
    for claim in ("preferred_username", "email", "sub"):
        name = re.sub(r"[^\w.@-]", "-", str(claims.get(claim, "")), flags=re.ASCII)[:64]
        if name.strip("-"):
            return name
    return secrets.token_hex(8)
