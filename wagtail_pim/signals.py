"""Signals of wagtail-pim.

Receivers are called after the commit, in the process that carries the run out. One
that raises is logged; it does not end the run.

``run_started``
    ``sender`` is ``JobRun``; ``run`` is the run, which was taken up just now.

``run_finished``
    ``sender`` is ``JobRun``; ``run`` has its final ``state``. Of an interrupted run it
    is sent by whoever found it dead.

``product_published``
    ``sender`` is the page's class; ``instance`` is the specific page of a product or
    variant that a run created or changed; ``created`` is a boolean; ``run`` is the run.
    Pages that a run finds in step send nothing.

``product_removed``
    ``sender`` is the page's class; ``instance`` is the specific page that was taken off
    the site; ``run`` is the run.
"""

from django.dispatch import Signal

run_started = Signal()
run_finished = Signal()
product_published = Signal()
product_removed = Signal()
