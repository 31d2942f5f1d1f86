"""A small shop that shows wagtail-pim at work, with a PIM of its own to talk to.

``python -m sandbox_site`` starts both.
"""
