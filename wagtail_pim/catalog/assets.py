"""The PIM's assets as Wagtail's images and documents.

An asset is known by its Guid and its hash: its file is fetched once, shared between
products, and replaced in place when the PIM has another.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from functools import cached_property
from os import SEEK_END
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, Protocol
from uuid import UUID

from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage
from wagtail.models import Collection
from wagtail.search import index as search_index
from wagtail.utils.file import hash_filelike

from wagtail_pim.client.entities import Asset, one_line
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import PimError, RecordError, RunEndedError
from wagtail_pim.kinds import DOCUMENT, PICTURE
from wagtail_pim.models import PimAsset

from .files import checked_name, title_of
from .writer import refusal

logger = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0
TAG_LENGTH: Final = 100


class Download(Protocol):
    def __call__(self, url: str, target: BinaryIO, max_bytes: int) -> None: ...


@dataclass(frozen=True, slots=True)
class AssetFault:
    asset: Asset
    reason: str

    @property
    def kind(self) -> str:
        return PICTURE if self.asset.is_image() else DOCUMENT


def known_assets(guids: Iterable[UUID]) -> dict[UUID, PimAsset]:
    """By Guid those that the site has, with their images and documents."""
    rows = PimAsset.objects.select_related("image", "document")
    return rows.in_bulk(list(guids), field_name="guid")


def obtain_assets(
    assets: Iterable[Asset],
    download: Download,
    checkpoint: Callable[[], None],
    before_commit: Callable[[], None],
    *,
    look_at_storage: bool = False,
) -> tuple[dict[UUID, PimAsset | None], list[AssetFault]]:
    """Rows by Guid, new and changed files fetched; and what could not be had.

    None for an archived asset, which is shown nowhere. Without a hash nothing tells
    whether a file has changed, so it is fetched. Of one that could not be had, the row
    is the one that stands, if any.

    ``download`` is called from several threads; ``checkpoint`` from this one while
    they work, and may raise RunEndedError. ``before_commit`` is called inside the
    transaction of each asset. ``look_at_storage`` fetches files again that are lost
    there, which costs a look for each.
    """
    wanted = {asset.id: asset for asset in assets}
    known = known_assets(wanted)
    library = _Library(before_commit)
    obtained: dict[UUID, PimAsset | None] = {}
    faults: dict[UUID, AssetFault] = {}

    def obtain(asset: Asset, fetched: Callable[[], BinaryIO | None]) -> None:
        row = known.get(asset.id)
        try:
            obtained[asset.id] = library.put(asset, row, fetched())
        except RunEndedError:
            raise
        except Exception as error:
            # A site's own models may refuse what they like, as they like.
            reason = str(error) if isinstance(error, PimError) else refusal(error)
            trace = not isinstance(error, PimError)
            logger.warning("Asset %s: %s", asset.id, reason, exc_info=trace)
            faults[asset.id] = AssetFault(asset, reason)
            if row is not None:
                obtained[asset.id] = row

    absent: list[Asset] = []
    for guid, asset in wanted.items():
        if asset.is_archived:
            obtained[guid] = None
        elif _has_file(asset, known.get(guid)) and not (
            look_at_storage and _is_lost(getattr(known[guid], _field(asset)))
        ):
            obtain(asset, lambda: None)
        else:
            absent.append(asset)
    with closing(_downloaded(absent, download, checkpoint)) as downloads:
        for asset, fetched in downloads:
            obtain(asset, fetched.result)
    return obtained, [faults[guid] for guid in wanted if guid in faults]


def _field(asset: Asset) -> str:
    """The name of PimAsset's field for it."""
    return "image" if asset.is_image() else "document"


def _has_file(asset: Asset, row: PimAsset | None) -> bool:
    return (
        row is not None
        and getattr(row, f"{_field(asset)}_id") is not None
        and asset.current_asset_hash != ""
        and row.content_hash == asset.current_asset_hash
    )


def _is_lost(holder: Any) -> bool:
    return not holder.file.storage.exists(holder.file.name)


def _downloaded(
    assets: Sequence[Asset], download: Download, checkpoint: Callable[[], None]
) -> Generator[tuple[Asset, Future[BinaryIO]]]:
    """Each asset as soon as its file is there, or known not to come.

    The files have no name and go with their end, also that of the process. There are
    never more of them than downloads at once.
    """
    limit = get_config().asset_downloads
    language = get_language()
    waiting = deque(assets)
    running: dict[Future[BinaryIO], tuple[Asset, BinaryIO]] = {}
    pool = ThreadPoolExecutor(limit, thread_name_prefix="pim-download")
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                asset = waiting.popleft()
                file: BinaryIO = TemporaryFile()  # noqa: SIM115
                future = pool.submit(_fetch, asset, file, download, language)
                running[future] = asset, file
            done, _pending = wait(running, WAIT_SECONDS, FIRST_COMPLETED)
            checkpoint()
            for future in done:
                asset, file = running[future]
                yield asset, future
                file.close()
                del running[future]
    finally:
        # Threads that still write end at once, as their file is closed.
        for _asset, file in running.values():
            file.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch(
    asset: Asset, file: BinaryIO, download: Download, language: str | None
) -> BinaryIO:
    """In a thread of its own, which does not know the ``language`` of the other."""
    config = get_config()
    limit = config.max_image_bytes if asset.is_image() else config.max_document_bytes
    with override(language):
        address = asset.address()
        if not address:
            raise RecordError(_("It has no file in the PIM."))
        download(address, file, limit)
    return file


class _Library:
    """Wagtail's images and documents, as far as they are the PIM's."""

    def __init__(self, before_commit: Callable[[], None]) -> None:
        self._before_commit = before_commit

    def put(
        self, asset: Asset, row: PimAsset | None, file: BinaryIO | None
    ) -> PimAsset:
        """The row of ``asset``, with what the PIM says of it now.

        Without a ``file`` the present one stays. What was an image and is a document
        now, or the other way round, becomes a new object: the old one may be in use
        by editors, and is the site's from now on.
        """
        standing = getattr(row, _field(asset)) if row else None
        if file and standing and _is_file_of(standing, file):
            file = None
        details = _Details.of(asset)
        stored = PimAsset(
            pk=row.pk if row else None,
            guid=asset.id,
            content_hash=asset.current_asset_hash,
            details_hash=details.hash,
        )
        described = bool(row and standing and row.details_hash == stored.details_hash)
        same = file is None and described
        if row and same and row.content_hash == stored.content_hash:
            return row
        name = checked_name(asset, file) if file else ""
        # Outside of the transaction, with which a new collection would go.
        new = None if standing else self._new(asset)
        try:
            with ExitStack() as left_over:
                with transaction.atomic():
                    holder = new or _locked(standing)
                    if file:
                        _replace_file(holder, file, name, left_over)
                    news = None if described else details
                    _save(holder, news, file_is_new=file is not None)
                    setattr(stored, _field(asset), holder)
                    stored.save()
                    self._before_commit()
                left_over.pop_all()
        except IntegrityError:
            # Has another process stored it meanwhile?
            other = None if row else known_assets([asset.id]).get(asset.id)
            if other is None:
                raise
            return other
        return stored

    def _new(self, asset: Asset) -> Any:
        model = get_image_model() if asset.is_image() else get_document_model()
        return model(collection=self._collection)

    @cached_property
    def _collection(self) -> Collection:
        """That of all that is the PIM's, made when it is first needed."""
        name = get_config().asset_collection
        with transaction.atomic():
            # Locked: two processes must not make two.
            root = Collection.objects.select_for_update().get(depth=1)
            found = root.get_descendants().filter(name=name).first()
            return found or root.add_child(name=name)


@dataclass(frozen=True, slots=True)
class _Details:
    """What the PIM says of an asset, besides its file."""

    title: str
    description: str
    tags: list[str]

    @classmethod
    def of(cls, asset: Asset) -> _Details:
        return cls(title_of(asset), one_line(asset.alt_text), asset.tags())

    @property
    def hash(self) -> str:
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()

    def describe(self, holder: Any) -> None:
        _set_text(holder, "title", self.title)
        # A site's own document model may use the name for something else.
        if isinstance(holder, AbstractImage):
            _set_text(holder, "description", self.description)

    def tag(self, holder: Any) -> None:
        """To be called once ``holder`` is saved, which is too early for its index."""
        if not getattr(holder, "tags", None):
            return
        holder.tags.set([tag[:TAG_LENGTH] for tag in self.tags])
        transaction.on_commit(
            lambda: search_index.insert_or_update_object(holder), robust=True
        )


def _save(holder: Any, details: _Details | None, *, file_is_new: bool) -> None:
    """Write what is new of an image or document."""
    if details:
        details.describe(holder)
    if details or file_is_new:
        holder.save()
    if details:
        details.tag(holder)
    if file_is_new and isinstance(holder, AbstractImage):
        holder.renditions.all().delete()


def _set_text(holder: Any, name: str, text: str) -> None:
    """A site's own model may have done without the field."""
    for field in holder._meta.fields:
        if field.name == name:
            setattr(holder, name, text[: field.max_length])


def _locked(holder: Any) -> Any:
    """As it is now: an editor may have set its focal point since it was read."""
    return type(holder)._base_manager.select_for_update().get(pk=holder.pk)


def _is_file_of(holder: Any, file: BinaryIO) -> bool:
    """Whether it has the same content, and that is still there."""
    present = holder.file
    return holder.file_hash == hash_filelike(file) and present.storage.exists(
        present.name
    )


def _replace_file(holder: Any, file: BinaryIO, name: str, left_over: ExitStack) -> None:
    """Store ``file``; the old one goes with the commit, the new one if there is none.

    The latter through ``left_over``.
    """
    storage, old = holder.file.storage, holder.file.name
    left_over.callback(_discard_file, holder, old)
    holder.file.save(name, File(file), save=False)
    holder.file_size = file.seek(0, SEEK_END)
    holder.file_hash = hash_filelike(file)
    if old and old != holder.file.name:
        transaction.on_commit(lambda: storage.delete(old), robust=True)


def _discard_file(holder: Any, old: str | None) -> None:
    """Delete the file of ``holder``, unless it is the ``old`` one."""
    name = holder.file.name
    if name and name != old:
        try:
            holder.file.storage.delete(name)
        except Exception:
            logger.exception("The file %s is left over", name)
