"""The runtime's wheel beside the models: put once, the same build again is nothing new, another one is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from pianissimo import RegistryError

import registry

NAME = "pianissimo-0.1.0-py3-none-any.whl"


def wheel(folder: Path, source: str = "x = 1", year: int = 2026, name: str = NAME) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pianissimo/__init__.py", (year, 1, 1, 0, 0, 0)), source)
    return folder / name


def test_put(tmp_path: Path) -> None:
    store = registry.open_store(str(tmp_path / "registry"))
    assert registry.put_runtime(store, wheel(tmp_path / "a"))
    assert not registry.put_runtime(store, wheel(tmp_path / "b", year=2027))
    with pytest.raises(RegistryError, match="a new version of the runtime"):
        registry.put_runtime(store, wheel(tmp_path / "c", source="x = 2"))
    assert registry.put_runtime(store, wheel(tmp_path / "c", source="x = 2"), replace=True)
    assert store.get(f"runtime/{NAME}") == (tmp_path / "c" / NAME).read_bytes()


@pytest.mark.parametrize(
    "name", ["numpy-2.0-py3-none-any.whl", "pianissimo-0.1.0.tar.gz", "pianissimo-x-py3-none-any.whl"]
)
def test_other_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(RegistryError, match="pianissimo-VERSION"):
        registry.put_runtime(registry.open_store(str(tmp_path / "registry")), wheel(tmp_path / "a", name=name))


def test_not_a_wheel(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"no zip")
    store = registry.open_store(str(tmp_path / "registry"))
    with pytest.raises(RegistryError, match="is no wheel"):
        registry.put_runtime(store, tmp_path / NAME)
    with pytest.raises(RegistryError, match="cannot be read"):
        registry.put_runtime(store, tmp_path / "absent" / NAME)
    assert store.list("") == []
