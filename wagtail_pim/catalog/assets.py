"""The pictures of products as Wagtail images.

A picture is known by its Guid and its hash: it is fetched once, shared between
products, and replaced in place when the PIM has a new file.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Protocol
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.models import Collection

from wagtail_pim.client.entities import Asset
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import PimError, RecordError, RunEndedError
from wagtail_pim.models import PimAsset

logger = logging.getLogger(__name__)

EXTENSIONS: Final = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}


class Fetch(Protocol):
    def __call__(self, url: str, max_bytes: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AssetFault:
    asset: Asset
    reason: str


def known_images(guids: Iterable[UUID]) -> dict[UUID, int]:
    """Image keys by Guid of the pictures that the site has."""
    return dict(
        PimAsset.objects.filter(guid__in=list(guids)).values_list("guid", "image_id")
    )


def obtain_images(
    assets: Iterable[Asset], fetch: Fetch, before_commit: Callable[[], None]
) -> tuple[dict[UUID, int | None], list[AssetFault]]:
    """Image keys by Guid, new and changed files fetched; and what could not be had.

    An archived asset is no picture: None. Without a hash nothing tells whether a file
    has changed, so it is fetched. ``before_commit`` is called inside the transaction of
    each file.
    """
    wanted = {asset.id: asset for asset in assets}
    standing = {a.guid: a for a in PimAsset.objects.filter(guid__in=list(wanted))}
    images: dict[UUID, int | None] = {
        guid: None for guid, asset in wanted.items() if asset.is_archived
    }
    faults: list[AssetFault] = []
    for guid, asset in wanted.items():
        if guid in images:
            continue
        known = standing.get(guid)
        content_hash = asset.current_asset_hash
        if known and content_hash and known.content_hash == content_hash:
            images[guid] = known.image_id
            continue
        try:
            images[guid] = _store(asset, known, fetch, before_commit)
        except RunEndedError:
            raise
        except (PimError, OSError, ValueError, DatabaseError) as error:
            # A site's own image model may ask for more than the PIM has.
            logger.warning("Picture %s: %s", guid, error)
            faults.append(AssetFault(asset, str(error)))
            if known:
                images[guid] = known.image_id
    return images, faults


def _store(
    asset: Asset,
    known: PimAsset | None,
    fetch: Fetch,
    before_commit: Callable[[], None],
) -> int:
    config = get_config()
    address = asset.external_file_url or asset.url_large
    if not address:
        raise RecordError(_("It has no file in the PIM."))
    content = fetch(address, config.max_image_bytes)
    extension = _image_extension(content, config.max_image_pixels)
    stem = slugify(PurePosixPath(asset.asset_file_name or asset.name).stem)
    with transaction.atomic():
        image = known.image if known else get_image_model()(collection=_collection())
        storage, old_file = image.file.storage, image.file.name
        image.title = (asset.name or stem or str(asset.id))[:255]
        image.file = ContentFile(content, name=f"{stem or asset.id}.{extension}")
        _describe(image, asset)
        image.file_size = len(content)
        image.file_hash = ""
        image.save()
        if known:
            image.renditions.all().delete()
        if old_file and old_file != image.file.name:
            transaction.on_commit(lambda: storage.delete(old_file), robust=True)
        PimAsset.objects.update_or_create(
            guid=asset.id,
            defaults={"content_hash": asset.current_asset_hash, "image": image},
        )
        before_commit()
    return int(image.pk)


def _describe(image: Any, asset: Asset) -> None:
    """Alternative text, where the site's image model has Wagtail's field for it."""
    if hasattr(image, "description"):
        limit = image._meta.get_field("description").max_length
        image.description = asset.alt_text[:limit]


def _image_extension(content: bytes, max_pixels: int) -> str:
    """By the file's own content; raises RecordError for anything but a picture."""
    try:
        with Pillow.open(io.BytesIO(content)) as picture:
            width, height = picture.size
            extension = EXTENSIONS[picture.format or ""]
    except (OSError, KeyError, ValueError, Pillow.DecompressionBombError) as error:
        raise RecordError(
            _("Its file is not a picture (JPEG, PNG, GIF or WebP).")
        ) from error
    if width * height > max_pixels:
        raise RecordError(
            _("Its picture has %(width)d × %(height)d pixels, which is too large.")
            % {"width": width, "height": height}
        )
    return extension


def _collection() -> Collection:
    """The collection of the PIM's pictures, made when it is first needed."""
    name = get_config().asset_collection
    root = Collection.get_first_root_node()
    found = root.get_children().filter(name=name).first()
    return found or root.add_child(name=name)


def guids_of(values: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """The primary images that mapped contents ask for."""
    return {guid for v in values if (guid := v["primary_image"]) is not None}
