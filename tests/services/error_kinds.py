"""Every error of ours that an edge may meet."""

import importlib
import pkgutil

import services.admin
import services.api
import shared
from shared.domain.errors import AppError


def all_error_kinds() -> list[type[AppError]]:
    for package in (shared, services.admin, services.api):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return sorted(_below(AppError), key=lambda kind: kind.__name__)


def _below(kind: type[AppError]) -> set[type[AppError]]:
    ours = {child for child in kind.__subclasses__() if child.__module__.startswith(("shared.", "services."))}
    return ours.union(*(_below(child) for child in ours))
