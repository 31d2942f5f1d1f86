"""A site whose image and document models are not Wagtail's, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox_site.pim.server import PimServer
from sandbox_site.var import REPOSITORY

from .pim_data import guid
from .test_assets import PDF, picture


def put(server: PimServer, name: str, content: bytes, **properties: Any) -> str:
    file_name = f"{name.split()[0]}.{properties['fileExtension']}"
    (server.store.images / file_name).write_bytes(content)
    record = {
        "id": guid("asset", name),
        "name": name,
        "assetFileName": file_name,
        "currentAssetHash": "1",
        "urlLarge": f"/assets/{file_name}",
        **properties,
    }
    return server.store.put("assets", record)["id"]


def test_images_and_documents_are_of_the_sites_own_models(
    pim_server: PimServer, tmp_path: Path
):
    pim_server.store.images.mkdir()
    document = {"assetType": "Document", "fileExtension": "pdf"}
    guids = [
        put(pim_server, "Frame", picture(), assetType="Image", fileExtension="png"),
        put(pim_server, "Manual 12", PDF, **document),
        put(pim_server, "Untold", PDF, **document),
    ]
    key = pim_server.store.credentials().write
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.swapped.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "SANDBOX_VAR": str(tmp_path / "var"),
        "PIM_API_ADDRESS": pim_server.url,
        "PIM_APP_KEY": key.app_key,
        "PIM_SECRET_KEY": key.secret_key,
        "PIM_ENVIRONMENT": "Sandbox",
    }
    process = subprocess.run(
        [sys.executable, "-m", "tests.swapped.obtain", *guids],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    first, second = json.loads(process.stdout)
    assert first == second
    assert first["images"] == [["Photo", "Frame", "Photo of Frame"]]
    assert first["renditions"] == ["PhotoRendition"]
    assert first["documents"] == [["Leaflet", "Manual 12"]]
    [reason] = first["faults"]
    assert "swapped_leaflet.pages" in reason
    targets = [request.target for request in pim_server.requests]
    files = [target for target in targets if target.startswith("/assets/")]
    # What failed is tried again, the others are not.
    assert sorted(files) == [
        "/assets/Frame.png",
        "/assets/Manual.pdf",
        "/assets/Untold.pdf",
        "/assets/Untold.pdf",
    ]
    [stored] = (tmp_path / "var/media/documents").iterdir()
    assert stored.name == "manual.pdf"
