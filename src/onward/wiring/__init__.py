"""The one place that chooses implementations: settings in, services out.

Nothing is created by building an `Application`; a database, store or service comes to life when
it is first asked for, so that light verbs stay light.
"""

from onward.wiring.application import Application, build_application
from onward.wiring.backends import worker_services

__all__ = ["Application", "build_application", "worker_services"]
