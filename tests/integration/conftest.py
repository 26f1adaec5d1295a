"""The fixtures stand in tests/conftest.py: tests/clients uses them too."""

from tests.conftest import OpenOffice

__all__ = ["OpenOffice"]
