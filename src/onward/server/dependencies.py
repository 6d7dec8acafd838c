"""What routes ask for; a test puts its own in place with ``app.dependency_overrides``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from onward.access import values
from onward.access.protocol import AccessStore
from onward.config.server import ServerConfig
from onward.jobs.protocol import JobStore
from onward.registry.protocol import ModelRegistry
from onward.server.authorisation import ANONYMOUS, PUBLIC, caller, require, requires
from onward.server.coverage import CoverageBook
from onward.server.events.hub import EventHub
from onward.server.paths import NamedFiles
from onward.server.serving.shelf import ModelShelf
from onward.server.state import ServerState, state_of

__all__ = [
    "ANONYMOUS",
    "PUBLIC",
    "Access",
    "Book",
    "Caller",
    "Config",
    "Files",
    "Hub",
    "Manager",
    "Registry",
    "Repositories",
    "Shelf",
    "State",
    "Store",
    "Training",
    "access_store",
    "caller",
    "coverage_book",
    "event_hub",
    "job_manager",
    "job_store",
    "model_registry",
    "model_shelf",
    "named_files",
    "repositories",
    "require",
    "requires",
    "server_config",
    "server_state",
    "training",
]


async def server_state(request: Request) -> ServerState:
    """Return what the application keeps between requests."""
    return state_of(request)


State = Annotated[ServerState, Depends(server_state)]


async def server_config(state: State) -> ServerConfig:
    """Return how much the server takes."""
    return state.config


async def access_store(state: State) -> AccessStore:
    """Return API keys, sessions and the audit log."""
    store: AccessStore = await state.provider.get("access")
    return store


async def job_store(state: State) -> JobStore:
    """Return jobs, their states and events."""
    store: JobStore = await state.provider.get("job_store")
    return store


async def job_manager(state: State) -> Any:
    """Return the `BackgroundTaskManager`."""
    return await state.provider.get("job_manager")


async def model_registry(state: State) -> ModelRegistry:
    """Return published models."""
    registry: ModelRegistry = await state.provider.get("registry")
    return registry


async def repositories(state: State) -> Any:
    """Return the `DataStore`: stored market data."""
    return await state.provider.get("repositories")


async def coverage_book(state: State) -> CoverageBook:
    """Return how far stored market data reach."""
    return state.coverage


async def training(state: State) -> Any:
    """Return the `MLTrainingService`."""
    return await state.provider.get("training")


async def model_shelf(state: State) -> ModelShelf:
    """Return the models that are loaded."""
    return state.shelf


async def event_hub(state: State) -> EventHub:
    """Return the followers of events."""
    return state.hub


async def named_files(state: State) -> NamedFiles:
    """Return which files requests may name."""
    home = state.provider.services.home
    return NamedFiles.of(home.root, state.config.data_directories)


Access = Annotated[AccessStore, Depends(access_store)]
Book = Annotated[CoverageBook, Depends(coverage_book)]
Caller = Annotated[values.Caller, Depends(caller)]
Config = Annotated[ServerConfig, Depends(server_config)]
Store = Annotated[JobStore, Depends(job_store)]
Manager = Annotated[Any, Depends(job_manager)]  # its module is not needed before a job is
Registry = Annotated[ModelRegistry, Depends(model_registry)]
Repositories = Annotated[Any, Depends(repositories)]  # pandas comes with its type
Training = Annotated[Any, Depends(training)]  # and the training libraries with this one
Shelf = Annotated[ModelShelf, Depends(model_shelf)]
Hub = Annotated[EventHub, Depends(event_hub)]
Files = Annotated[NamedFiles, Depends(named_files)]
