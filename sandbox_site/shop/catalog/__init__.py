"""The catalog of the shop, as a data folder for the sandbox PIM.

``products`` and ``structure`` hold what the shop sells and how it is described,
``drawings`` its pictures, and ``folder`` writes it all.
"""

from .folder import write_catalog

__all__ = ["write_catalog"]
