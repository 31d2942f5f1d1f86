"""The screen of one run: how far it is, and what came of each record."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
