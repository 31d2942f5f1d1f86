"""The screen "Jobs": what each job does, how it is, and its buttons."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
