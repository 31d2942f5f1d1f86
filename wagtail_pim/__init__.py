"""Keeps a Wagtail site's product catalog in step with Optimizely PIM."""

__version__ = "0.1.0"
