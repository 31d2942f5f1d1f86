"""Which language of the PIM is shown in which locale of the site.

A locale shows the language that ``WAGTAIL_PIM["LANGUAGES"]`` names for it; without, the
one of its own code, or else one of a region of it: ``en`` is content with ``en-US``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from wagtail.models import Locale

from wagtail_pim.client.client import PimClient
from wagtail_pim.client.entities import Language, Property
from wagtail_pim.conf import get_config, i18n_enabled


@dataclass(frozen=True, slots=True)
class SiteLanguage:
    """A locale of the site and what it shows.

    ``language`` is None where the PIM is read as it is, in its own default language.
    """

    locale_id: int
    code: str
    language: UUID | None = None
    is_default: bool = True

    @classmethod
    def default(cls) -> SiteLanguage:
        """The site's default locale, showing the PIM's default language."""
        locale = Locale.get_default()
        return cls(locale.pk, locale.language_code)


def site_languages(languages: Sequence[Language]) -> list[SiteLanguage]:
    """The default locale first, then the others that have a language of the PIM."""
    default = Locale.get_default()
    others = Locale.objects.exclude(pk=default.pk).order_by("pk")
    locales = [default, *(others if i18n_enabled() else ())]
    codes = [locale.language_code for locale in locales]
    found = []
    for locale in locales:
        language = fitting_language(locale.language_code, codes, languages)
        is_default = locale == default
        if language is None and not is_default:
            continue
        found.append(
            SiteLanguage(
                locale.pk,
                locale.language_code,
                None if language is None or language.is_default else language.id,
                is_default,
            )
        )
    return found


def fitting_language(
    code: str, all_codes: Sequence[str], languages: Sequence[Language]
) -> Language | None:
    """The PIM's language for the locale of this code; None if it has no such.

    A language that is another locale's own (``all_codes``) does not stand in.
    """
    wanted = _key(named_language(code) or code)
    exact = named_language(code) is not None
    others = {_key(named_language(other) or other) for other in all_codes}
    fitting = [
        language
        for language in languages
        if (key := _key(language.language_code)) == wanted
        or (not exact and key not in others and key.startswith(f"{wanted}-"))
    ]
    return min(
        fitting,
        key=lambda x: (_key(x.language_code) != wanted, not x.is_default),
        default=None,
    )


def named_language(code: str) -> str | None:
    """The PIM's language that the settings name for a locale."""
    for language, locales in get_config().languages.items():
        named = [locales] if isinstance(locales, str) else locales
        if _key(code) in map(_key, named):
            return language
    return None


def _key(code: str) -> str:
    return code.casefold().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What properties and their values to choose from are called in a language.

    ``labels`` by the property's Guid, ``values`` by Guid and value in the default
    language.
    """

    labels: Mapping[UUID, str] = field(default_factory=dict)
    values: Mapping[UUID, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(
        cls, client: PimClient, properties: Sequence[Property], language: UUID
    ) -> Vocabulary:
        translated = client.assumed.in_language(Property, "properties", language)
        pairs = [(p, translated[p.id]) for p in properties if p.id in translated]
        return cls(
            labels={p.id: t.display_name for p, t in pairs if t.display_name},
            values={
                p.id: dict(zip(p.string_value_bag, t.string_value_bag, strict=True))
                for p, t in pairs
                if len(p.string_value_bag) == len(t.string_value_bag)
            },
        )

    def label(self, prop: Property) -> str:
        return self.labels.get(prop.id) or prop.display_name or prop.name

    def value(self, prop: Property, text: str) -> str:
        return self.values.get(prop.id, {}).get(text, text)
