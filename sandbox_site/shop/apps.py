from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "sandbox_site.shop"
    label = "shop"
    verbose_name = _("shop")
    default_auto_field = "django.db.models.BigAutoField"
