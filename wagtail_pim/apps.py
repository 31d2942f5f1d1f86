from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class WagtailPimConfig(AppConfig):
    name = "wagtail_pim"
    label = "wagtail_pim"
    verbose_name = _("Optimizely PIM")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wagtail.models import ReferenceIndex

        from . import checks  # noqa: F401  (registers the system checks)
        from .locking import tree
        from .models import PimAsset

        tree.connect()
        ReferenceIndex.register_model(PimAsset)
        if apps.is_installed("wagtail_localize"):
            from .locking import localize

            localize.keep_owned_fields_from_translation()
