"""What is wrong with an installation or a workspace, each finding with the way out."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
from packaging.requirements import Requirement

from assistant.behaviour import behind, wanted
from assistant.documents import KINDS
from assistant.workspace import SETTINGS_FILE, Settings, Workspace, open_workspace
from segments.errors import DataError, EncryptionError, OperatorError, SegAssistError
from serving.callers import users_of

if TYPE_CHECKING:
    from serving.llm.fit import Fit
    from serving.llm.vllm import GPU

PACKAGE = "segment-assistant"
CONTAINER = Path("/sys/fs/cgroup")
LEAST_MEMORY = 3_000_000_000
"""Bytes: the embedded model (1.1 GB and its context) and the rooms of a workspace like the demo's."""
LOW_DISK, LEAST_DISK = 2_000_000_000, 200_000_000
OLD_DAYS = 35
SECRETS = ("vault.key", "vault.parquet", "audit.key")
BUILD = "segassist build --workspace {0}  (or `segassist ingest` for your own files)"
CORRECT = "correct the llm_ settings in segassist.toml"
DAMAGED = "a file is damaged: segassist restore FILE --workspace {0} --replace, or build it anew"
KEPT = ("secrets", "state", "audit", "access")
"""Parts that no build makes anew."""
RETRAIN = "train on newer data: segassist ingest MAPPING --workspace {0} --rebuild"

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. way_out: what to do, empty when all is well."""

    part: str
    level: Level
    what: str
    way_out: str = ""


def examine(folder: Path, port: int) -> list[Finding]:
    """Look at everything; a check that cannot run is itself a finding."""
    found = [*_packages(), _memory(), _disk(folder), _port(port)]
    try:
        workspace = open_workspace(folder)
    except DataError as error:
        return [*found, Finding("workspace", "fail", str(error), f"correct {folder / SETTINGS_FILE}")]
    except SegAssistError as error:
        return [*found, Finding("workspace", "fail", str(error), BUILD.format(folder))]
    found.append(Finding("workspace", "ok", f"{folder}: {workspace.settings.name}"))
    checks: tuple[tuple[str, Callable[[Workspace], Iterator[Finding]]], ...] = (
        ("gpu", _gpu),
        ("data", _data),
        ("index", _index),
        ("models", _models),
        ("drift", _drift),
        ("refresh", _refreshed),
        ("llm", _llm),
        ("llm memory", _llm_memory),
        ("secrets", _secrets),
        ("encryption", _encryption),
        ("state", _state),
        ("audit", _audit),
        ("access", _access),
    )
    for part, check in checks:
        try:
            found += check(workspace)
        except EncryptionError as error:
            found.append(Finding(part, "fail", str(error), "give the key that the data are encrypted with"))
        except SegAssistError as error:
            way = CORRECT if part == "llm" else DAMAGED if part in KEPT else BUILD
            found.append(Finding(part, "fail", str(error), way.format(folder)))
        except Exception as error:  # noqa: BLE001 - whatever is damaged, the other checks still tell
            what = f"cannot be checked: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            found.append(Finding(part, "fail", what, DAMAGED.format(folder)))
    return found


def _refreshed(workspace: Workspace) -> Iterator[Finding]:
    """What the last refresh could not bring in or publish, so that what was there before is still in use."""
    path = workspace.folder / "run" / "refresh.json"
    if not path.exists():
        return
    told = json.loads(path.read_text(encoding="utf-8"))
    wrong = [f"took no new data: {told['data_error']}"] if told["data_error"] else []
    wrong += [
        f"did not publish {segment['name']}: {segment['error']}"
        for segment in told["segments"]
        if segment["error"]
    ]
    what = f"the refresh of {told['at']}, as of {told['as_of']}, "
    if wrong:
        way = f"mend it and run: segassist refresh --workspace {workspace.folder}"
        yield Finding("refresh", "warn", what + "; ".join(wrong), way)
    else:
        yield Finding("refresh", "ok", what + f"published {len(told['segments'])} saved segments")


def _packages() -> Iterator[Finding]:
    try:
        wanted = [Requirement(text) for text in requires(PACKAGE) or ()]
    except PackageNotFoundError:
        yield Finding("packages", "warn", f"{PACKAGE} is not installed here.", "pip install --editable .")
        return
    wrong = []
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            have = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement} is missing")
            continue
        if not requirement.specifier.contains(have, prereleases=True):
            wrong.append(f"{requirement.name} is {have}, not {requirement.specifier}")
    if wrong:
        way = "pip install --constraint constraints.txt --editable ."
        yield Finding("packages", "fail", "; ".join(wrong), way)
    else:
        yield Finding("packages", "ok", f"{len(wanted)} requirements are met")


def _memory() -> Finding:
    free = _free_memory()
    if free == math.inf:
        return Finding("memory", "ok", "not measured on this system")
    what = f"{free / 1e9:.1f} GB are free"
    if free >= LEAST_MEMORY:
        return Finding("memory", "ok", what)
    way = f"free some: {LEAST_MEMORY / 1e9:.0f} GB are needed, or name a language model elsewhere (llm_base_url)"
    return Finding("memory", "warn", what, way)


def _free_memory() -> float:
    """Bytes that are free, of the machine's or of what the container may still take; infinite where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    machine = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    return min(machine, _left_of_container())


def _left_of_container() -> float:
    """Bytes that a container may still take (cgroup v2); infinite where nothing bounds it."""
    try:
        most, used = (CONTAINER / name for name in ("memory.max", "memory.current"))
        return float(most.read_text()) - float(used.read_text())
    except (OSError, ValueError):  # none, or 'max'
        return math.inf


def _disk(folder: Path) -> Finding:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    what = f"{free / 1e9:.1f} GB are free at {there}"
    if free >= LOW_DISK:
        return Finding("disk", "ok", what)
    return Finding("disk", "fail" if free < LEAST_DISK else "warn", what, "free some, or move the workspace")


def _port(port: int) -> Finding:
    from serving.llm.probe import port_is_free

    if port_is_free("127.0.0.1", port):
        return Finding("port", "ok", f"{port} is free")
    try:
        if "as_of" in httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=3).json():
            return Finding("port", "ok", f"segassist answers on {port}")
    except (httpx.HTTPError, ValueError):
        pass
    return Finding("port", "warn", f"another program listens on {port}", "segassist serve --port ANOTHER")


def _gpu(workspace: Workspace) -> Iterator[Finding]:
    settings, wanted = workspace.settings, []
    if settings.index_device == "gpu":
        wanted.append("index_device")
    if settings.llm_backend == "vllm" and not settings.llm_base_url and not _runs_on_cpu(settings.llm_python):
        wanted.append("llm_backend")
    seen = _gpus()
    if wanted and not seen:
        way = f"set {' and '.join(wanted)} to auto in segassist.toml, or install the GPU's driver"
        yield Finding("gpu", "fail", f"{' and '.join(wanted)} ask for a GPU; there is none", way)
    else:
        cards = "; ".join(f"{card.name}, {card.gib:.0f} GiB" for card in seen)
        yield Finding("gpu", "ok", cards or "none, and none is asked for")


def _runs_on_cpu(python: str) -> bool:
    from serving.llm.vllm import installed

    try:
        found = installed(python)
    except OperatorError:
        return False  # the finding about the language model says so
    return found is not None and found.on_cpu


def _gpus() -> list[GPU]:
    from serving.llm.vllm import gpus

    return gpus()


def _llm_memory(workspace: Workspace) -> Iterator[Finding]:
    """Whether the language model that would be started here fits; nothing of one elsewhere, or that runs already."""
    from serving.llm import fit, vllm
    from serving.llm.server import LLMSettings, choose_backend, running

    settings = workspace.settings
    if settings.llm_base_url or running(workspace.run) is not None:
        return
    try:
        chosen = choose_backend(
            LLMSettings(settings.llm_backend, settings.llm_model, python=settings.llm_python)
        )
        if chosen.vllm is None:
            found = _embedded_fit(settings)
        elif chosen.vllm.on_cpu:  # it takes a share of the memory that is given, whatever the model
            return
        else:
            options, _ = vllm.choose_profile(settings.llm_profile, chosen.vllm)
            found = fit.on_gpus(settings.llm_model or vllm.MODEL, options, _gpus())
    except OperatorError:
        return  # the finding about the language model says so
    # What is free in memory comes and goes; a card is the server's own.
    short: Level = "warn" if chosen.vllm is None else "fail"
    yield Finding("llm memory", "ok" if found.fits else short, found.words, found.way_out)


def _embedded_fit(settings: Settings) -> Fit:
    from serving.llm.embedded import slots
    from serving.llm.fit import in_memory
    from serving.llm.server import NO_ADAPTER
    from serving.llm.weights import ADAPTER, QWEN_1_5B

    own = Path(settings.llm_model)
    size = own.stat().st_size if settings.llm_model and own.is_file() else QWEN_1_5B.size
    named = settings.llm_adapter or ("" if settings.llm_model else str(ADAPTER))
    adapter = Path(named) if named not in ("", NO_ADAPTER) else None
    held = adapter.stat().st_size if adapter is not None and adapter.is_file() else 0
    return in_memory(size, slots(adapter is not None), _free_memory(), held)


def _data(workspace: Workspace) -> Iterator[Finding]:
    from assistant.build import made_otherwise
    from warehouse.store import Warehouse

    as_of = _as_of(workspace)
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        lost = {"events", "customers", "features"} - set(warehouse.connection.list_tables())
    if lost:
        what = f"the warehouse has no {', '.join(sorted(lost))}"
        yield Finding("data", "fail", what, DAMAGED.format(workspace.folder))
        return
    age = (date.today() - as_of).days
    source = str(json.loads(workspace.ready.read_text())["source"])
    otherwise = made_otherwise(workspace.folder)
    if otherwise:
        what = f"this version or these settings would make otherwise: {', '.join(otherwise)}"
        yield Finding("data", "warn", what, BUILD.format(workspace.folder))
    elif age > OLD_DAYS and not source.startswith("completejourney"):
        way = "load the newer files: segassist ingest"
        yield Finding("data", "warn", f"the newest event is {age} days old (as of {as_of})", way)
    else:
        yield Finding("data", "ok", f"as of {as_of}")


def _index(workspace: Workspace) -> Iterator[Finding]:
    from indexes.index import CustomerIndex

    way, as_of = BUILD.format(workspace.folder), _as_of(workspace)
    index = CustomerIndex.load(workspace.index, "cpu")
    if index.as_of != as_of:
        yield Finding("index", "fail", f"behaviour is as of {index.as_of}, the data as of {as_of}", way)
    elif Path(workspace.settings.encoder).name not in index.encoder:
        what = f"made by the encoder {index.encoder}; the settings name {workspace.settings.encoder}"
        yield Finding("index", "fail", what, way)
    elif behind(index.encoder) != (named := wanted(workspace)).name:
        what = f"made by {behind(index.encoder)}, and the next build makes it by another; {named.why}"
        yield Finding("index", "warn", what, way)
    else:
        yield Finding("index", "ok", f"{len(index):,} customers, {index.encoder}, checksum right")


def _models(workspace: Workspace) -> Iterator[Finding]:
    from assistant.scoring import NEEDED_DAYS
    from propensity.registry import Registry

    registry, as_of = Registry(workspace.models), _as_of(workspace).isoformat()
    registry.check()
    if not registry.names():
        way = f"they come with a load whose purchases cover {NEEDED_DAYS} days and tell enough outcomes"
        yield Finding("models", "warn", "none could be learned from these data yet", way)
        return
    cards = registry.cards()
    old = [card.outcome for card in cards if card.scored_as_of != as_of]
    if old:
        what = f"scores of {', '.join(old[:3])} are not as of {as_of}"
        yield Finding("models", "fail", what, BUILD.format(workspace.folder))
    else:
        yield Finding("models", "ok", f"{len(cards)} cards, scores as of {as_of}, checksums right")


def _drift(workspace: Workspace) -> Iterator[Finding]:
    from assistant.scoring import Propensities
    from assistant.watch import watch_models
    from propensity.registry import Registry
    from warehouse.store import Warehouse

    with closing(Warehouse(workspace.warehouse)) as warehouse:
        scored = Propensities(warehouse, workspace.models)
        found = watch_models(scored, Registry(workspace.models), warehouse)
    for model in found:
        way = "" if model.holds else RETRAIN.format(workspace.folder)
        yield Finding("drift", "ok" if model.holds else "warn", model.words, way)


def _llm(workspace: Workspace) -> Iterator[Finding]:
    from segments.atomic import sha256_of
    from serving.llm.probe import served_model
    from serving.llm.server import NO_ADAPTER
    from serving.llm.weights import QWEN_1_5B, default_cache, own_model

    settings = workspace.settings
    if settings.llm_base_url:
        name = served_model(settings.llm_base_url)
        if name is None:
            what = f"nothing answers at llm_base_url {settings.llm_base_url}"
            yield Finding("llm", "fail", what, "start that server, or correct llm_base_url in segassist.toml")
        else:
            yield Finding("llm", "ok", f"{name} at {settings.llm_base_url}")
        return
    if settings.llm_backend == "vllm":
        yield _vllm(settings)
        return
    adapter = settings.llm_adapter
    if adapter not in ("", NO_ADAPTER) and not Path(adapter).exists():
        yield Finding("llm", "fail", f"llm_adapter: there is no file {adapter}", CORRECT)
        return
    if settings.llm_model:
        named = Path(settings.llm_model)
        if settings.llm_model.endswith(".gguf"):
            own_model(named)
        elif named.is_absolute() and not named.exists():
            yield Finding("llm", "fail", f"llm_model: there is nothing at {named}", CORRECT)
            return
        yield Finding("llm", "ok", f"{settings.llm_model} ({settings.llm_backend})")
        return
    file = default_cache() / QWEN_1_5B.file
    if not file.exists():
        yield Finding(
            "llm", "warn", f"{QWEN_1_5B.name} is not there yet", "segassist build, or segassist serve llm"
        )
    elif sha256_of(file) != QWEN_1_5B.sha256:
        yield Finding("llm", "fail", f"{file} has the wrong SHA-256", f"rm {file}; segassist build")
    else:
        yield Finding("llm", "ok", f"{QWEN_1_5B.name}, SHA-256 right")


def _vllm(settings: Settings) -> Finding:
    from serving.llm import vllm
    from serving.llm.server import NO_ADAPTER

    model = settings.llm_model or vllm.MODEL
    try:
        vllm.check_files(model, "" if settings.llm_adapter == NO_ADAPTER else settings.llm_adapter)
        found = vllm.check(settings.llm_python)
    except OperatorError as error:
        return Finding("llm", "fail", str(error), CORRECT)
    return Finding("llm", "ok", f"{model}, with {found.distribution} {found.version}")


def _secrets(workspace: Workspace) -> Iterator[Finding]:
    from warehouse.pseudonyms import KEY_FILE, VAULT_FILE, read_vault

    paths = [path for name in SECRETS if (path := workspace.folder / name).exists()]
    for name in (KEY_FILE, VAULT_FILE):
        if not (workspace.folder / name).exists():
            what = f"{name} is missing: nobody can be exported, and new files would get other pseudonyms"
            yield Finding("secrets", "fail", what, DAMAGED.format(workspace.folder))
    if (workspace.folder / VAULT_FILE).exists():
        read_vault(workspace.folder)
    open_ = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_:
        yield Finding("secrets", "fail", f"{path} can be read by others", f"chmod 600 {path}")
    if not open_:
        yield Finding("secrets", "ok", f"{len(paths)} files are readable by their owner alone")


def _encryption(workspace: Workspace) -> Iterator[Finding]:
    from warehouse.encrypt import encrypted_files
    from warehouse.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE, operator_key

    found = encrypted_files(workspace.folder)
    plain = [name for name, encrypted in found.items() if not encrypted]
    keyed = operator_key() is not None
    if len(plain) == len(found) and not keyed:
        yield Finding("encryption", "ok", "off: the warehouse and the vault are plain files")
    elif plain and keyed:
        way = f"segassist data encrypt --workspace {workspace.folder}"
        yield Finding("encryption", "fail", f"a key is set, and {', '.join(plain)} not encrypted", way)
    elif not keyed:
        way = f"set {KEY_VARIABLE} or {KEY_FILE_VARIABLE} to the key"
        yield Finding("encryption", "fail", "the data are encrypted, and no key is set", way)
    else:
        _as_of(workspace)
        yield Finding("encryption", "ok", f"on: {', '.join(found)}")
    file = Path(os.environ.get(KEY_FILE_VARIABLE) or os.devnull)
    if file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding("encryption", "fail", f"{file} can be read by others", f"chmod 600 {file}")


def _state(workspace: Workspace) -> Iterator[Finding]:
    for kind in KINDS:
        for path in sorted((workspace.folder / f"{kind}s").glob("*.json")):
            what = f"{path} is not in the state: it is damaged, or the workspace was not opened since it was upgraded"
            yield Finding(
                "state", "warn", what, "start the server; a file that stays: restore it, or delete it"
            )
    if workspace.state_url:
        from assistant.sql import Database

        name = Database(workspace.state).name
        yield Finding("state", "ok", f"{name} answers, at this version's schema")
        return
    for path in sorted(workspace.folder.glob("*.sqlite")):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                said = connection.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            way = "segassist restore FILE of the last backup, or move the file away to begin anew"
            yield Finding("state", "fail", f"{path.name}: {said}", way)
        else:
            yield Finding("state", "ok", f"{path.name} is sound")


def _audit(workspace: Workspace) -> Iterator[Finding]:
    from serving.audit import KEY_FILE, Audit

    if isinstance(workspace.audit, Path) and not workspace.audit.exists():
        if (workspace.folder / KEY_FILE).exists():
            what = f"{KEY_FILE} is there and the log is not: it was moved or deleted"
            yield Finding("audit", "fail", what, DAMAGED.format(workspace.folder))
        else:
            yield Finding("audit", "ok", "nothing is logged yet")
        return
    verdict = Audit(workspace.folder, workspace.audit).verify()
    if verdict.breaks:
        way = "find out who could write to it; compare it with a backup"
        yield Finding("audit", "fail", verdict.breaks[0], way)
    else:
        yield Finding("audit", "ok", f"{verdict.entries} entries hold")


def _access(workspace: Workspace) -> Iterator[Finding]:
    users, issuer = users_of(workspace), workspace.settings.oidc_issuer
    if users.on:
        holding = sum(1 for user in users.all() if user.keys)
        yield Finding(
            "access", "ok", f"{holding} users with a key" + (f"; {issuer} signs others in" if issuer else "")
        )
    else:
        yield Finding("access", "ok", "no users: the server answers on this machine only")
    if issuer:
        yield _sign_in(workspace.settings)


def _sign_in(settings: Settings) -> Finding:
    """Whether the provider that people sign in with answers."""
    from serving.oidc import provider_of

    try:
        provider = provider_of(settings)
        assert provider is not None
        provider.check()
    except OperatorError as error:
        way = (
            "correct the oidc_ settings in segassist.toml, or wait for the provider; API keys work meanwhile"
        )
        return Finding("sign-in", "fail", str(error), way)
    return Finding("sign-in", "ok", f"{provider.issuer} answers")


def _as_of(workspace: Workspace) -> date:
    from warehouse.store import Warehouse

    warehouse = Warehouse(workspace.warehouse)
    try:
        return warehouse.as_of
    finally:
        warehouse.close()
