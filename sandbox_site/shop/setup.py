"""What a new database of the sandbox needs before the first job."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.db import transaction
from wagtail.models import Locale, Page, Site

from wagtail_pim.models import CatalogPage, RelationshipType

from .catalog.structure import RELATIONSHIPS
from .models import HomePage

ADMIN_NAME = "admin"
SHOP_NAME = "Spokewell"

HOME_PAGES = {
    "en": {
        "title": "Home",
        "headline": "Bicycles for every ordinary day",
        "introduction": (
            "We build, mend and recommend bicycles that start in the rain and still "
            "run when the children have grown."
        ),
    },
    "de": {
        "title": "Startseite",
        "headline": "Fahrräder für jeden ganz normalen Tag",
        "introduction": (
            "Wir bauen, reparieren und empfehlen Räder, die im Regen losfahren und "
            "noch laufen, wenn die Kinder groß sind."
        ),
    },
    "fr": {
        "title": "Accueil",
        "headline": "Des vélos pour tous les jours",
        "introduction": (
            "Nous construisons, réparons et conseillons des vélos qui partent sous "
            "la pluie et roulent encore quand les enfants ont grandi."
        ),
    },
}


@transaction.atomic
def prepare_site(port: int) -> Site:
    """The default site with a home page in each language; made where they lack.

    Wagtail's own welcome page, which a new database has, makes way.
    """
    site = Site.objects.filter(is_default_site=True).first() or Site(
        is_default_site=True, hostname="localhost"
    )
    home = HomePage.objects.filter(locale=Locale.get_default(), depth=2).first()
    if home is None:
        home = HomePage(slug="shop", locale=Locale.get_default(), **HOME_PAGES["en"])
        Page.get_first_root_node().add_child(instance=home)
    for code, texts in HOME_PAGES.items():
        locale, _created = Locale.objects.get_or_create(language_code=code)
        if not home.has_translation(locale):
            translation = home.copy_for_translation(locale)
            for name, text in texts.items():
                setattr(translation, name, text)
            translation.live = True
            translation.save()
    welcome = site.root_page if site.root_page_id else None
    site.root_page = home
    site.site_name = SHOP_NAME
    site.port = port
    site.save()
    if welcome and welcome.specific_class is Page:
        welcome.delete()
    return site


def prepare_relationship_types() -> None:
    """Those of the shop, if it has none yet."""
    if not RelationshipType.objects.exists():
        for name in RELATIONSHIPS.values():
            RelationshipType.objects.create(name=name.en)


def prepare_catalog() -> CatalogPage:
    """The shop's catalog page, which setup data makes known to the PIM as a website."""
    catalog = CatalogPage.objects.filter(locale=Locale.get_default()).first()
    if catalog is None:
        catalog = CatalogPage(title=SHOP_NAME, slug="spokewell")
        Site.objects.get(is_default_site=True).root_page.add_child(instance=catalog)
    return catalog


def prepare_admin(password: Callable[[], str]) -> None:
    """The administrator, if there is none yet; the password is asked for then."""
    users = get_user_model()._default_manager
    if not users.filter(username=ADMIN_NAME).exists():
        users.create_superuser(ADMIN_NAME, "admin@localhost", password())
