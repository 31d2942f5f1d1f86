from .admin import wagtail_hooks  # noqa: F401  (registers the hooks)
