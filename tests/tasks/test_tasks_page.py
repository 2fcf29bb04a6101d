"""The page of a run: whole in itself, told from the records alone, and shown by a browser without a complaint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tasks import page, records
from tasks.page import changes, limits, mistakes, sizes, svg
from tasks.report import Artifact

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell")
PICTURES = (
    "Size against score", "From teacher to shipped files", "Confusions, teacher", "Score at each rung", "Latency",
    "Layers by sensitivity", "Teacher", "Distillation", "edge: how much of each limit is used",
)  # fmt: skip


class Reading(HTMLParser):
    """Tags still open at the end, all addresses, headings, and whether anything could run."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)
        self.addresses += [
            str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")
        ]
        self.anchors |= {str(value) for name, value in attrs if name == "id"}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def root(pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke pipeline's folders where the project has them."""
    project = tmp_path_factory.mktemp("project")
    for place, target in (("artifacts", pipeline.folder), ("data", pipeline.data)):
        (project / place).mkdir()
        (project / place / "keywords").symlink_to(target)
    return project / "artifacts"


@pytest.fixture(scope="module")
def written(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(["keywords", "genre"], root, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return written.read_text(encoding="utf-8")


def test_it_is_whole_in_itself(text: str) -> None:
    read = Reading(text)
    assert read.open == []
    assert read.scripts == 0
    assert [one for one in read.addresses if not one.startswith("#")] == ["data:,"]
    assert {one.removeprefix("#") for one in read.addresses if one.startswith("#")} <= read.anchors
    assert not re.search(r"@import|url\(", text)
    assert "default-src 'none'" in text, "a browser may fetch nothing"
    assert len(text.encode()) < 2_000_000


def test_every_picture_is_there(text: str) -> None:
    headings = re.findall(r"<h4>(.*?)</h4>", text)
    assert [name for name in PICTURES if name not in headings] == []
    assert not re.search(r"\bnan\b|\binf\b|None", re.sub(r"<pre>.*?</pre>", "", text, flags=re.S))


def test_a_model_that_has_not_run_is_named_as_such(text: str) -> None:
    article = text[text.index('<article id="genre">') :]
    assert "not judged yet" in article
    assert "No version was published before." in article


def test_the_same_facts_are_there_for_programs(written: Path, pipeline: Any) -> None:
    facts = json.loads((written.parent / "report.json").read_text())
    assert facts["keywords"]["passed"] is True
    assert facts["keywords"]["stages"]["train"]["score"] == records.read(pipeline.train).score
    assert facts["genre"]["passed"] is None


def test_a_rejection_is_told_in_the_gates_words(pipeline: Any, edited: Any, root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "artifacts/keywords"
    folder.mkdir(parents=True)
    for stage in ("train", "validate"):
        (folder / stage).symlink_to(pipeline.folder / stage)
    pipeline.run("gate", folder / "gate", params=edited({"gate.platforms.edge.max_bytes": 1000}))
    text = page.write(["keywords"], folder.parent, tmp_path / "report").read_text(encoding="utf-8")
    assert "Rejected because" in text
    assert "bytes, allowed 1,000" in text
    assert "0 passed, 1 rejected" in text


def test_what_changed_since_the_version_before(pipeline: Any, root: Path, tmp_path: Path) -> None:
    """A registry that holds one more version, before this run's, with other figures and another parameter."""
    versions = pipeline.registry / "models/keywords/versions"
    copy = tmp_path / "registry/models/keywords/versions"
    shutil.copytree(versions / "1", copy / "2")
    earlier = json.loads((versions / "1/manifest.json").read_text())
    earlier["lineage"]["params"]["train"]["epochs"] = 987
    form = next(iter(earlier["platforms"]["edge"]["figures"].values()))
    form["bytes"] = 2 * form["bytes"]
    (copy / "1").mkdir()
    (copy / "1/manifest.json").write_text(json.dumps(earlier))
    folder = tmp_path / "artifacts/keywords"
    shutil.copytree(pipeline.folder, folder, ignore=shutil.ignore_patterns("registry", "corpus", "data", "network"))
    record = json.loads((folder / "publish/record.json").read_text())
    record["facts"] |= {"version": 2, "registry": str(tmp_path / "registry")}
    (folder / "publish/record.json").write_text(json.dumps(record))
    text = page.write(["keywords"], folder.parent, tmp_path / "report").read_text(encoding="utf-8")
    assert "Version 1 was published" in text
    assert re.search(r"params\.train\.epochs</td><td>987</td>", text)
    assert "-50.0 %" in text


def test_words_from_outside_are_escaped(pipeline: Any, tmp_path: Path) -> None:
    folder = tmp_path / "artifacts/keywords"
    shutil.copytree(pipeline.folder, folder, ignore=shutil.ignore_patterns("registry", "corpus", "data", "network"))
    verdict = json.loads((folder / "gate/verdict.json").read_text())
    verdict |= {"passed": False}
    verdict["platforms"]["edge"]["reasons"] = ["<script>alert(1)</script>"]
    (folder / "gate/verdict.json").write_text(json.dumps(verdict))
    text = page.write(["keywords"], folder.parent, tmp_path / "report").read_text(encoding="utf-8")
    assert Reading(text).scripts == 0
    assert "&lt;script&gt;alert(1)" in text


def test_the_command_imports_no_training_library(root: Path, tmp_path: Path, shell: Any) -> None:
    code = (
        "import sys; from tasks.page.__main__ import main\n"
        f"status = main(['keywords', '--root', {str(root)!r}, '--dest', {str(tmp_path)!r}])\n"
        "print(status, *sorted(name for name in sys.modules if '.' not in name))"
    )
    done = shell(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    where, modules = done.stdout.splitlines()
    assert where == str(tmp_path / "index.html")
    status, *imported = modules.split()
    assert status == "0"
    assert not {"tensorflow", "tf_keras", "torch", "sklearn", "onnx", "prefect", "dvc", "boto3"} & set(imported)


def test_a_browser_shows_it_without_a_complaint(written: Path, tmp_path: Path) -> None:
    """Its policy makes a request to anywhere an error on the console, so a silent console means that none was made."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser here; any of {', '.join(BROWSERS)} on PATH would do")
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={tmp_path}",
         "--window-size=1280,2000", f"--screenshot={picture}", written.as_uri()],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000, "an empty page makes a small picture"


def test_the_front_holds_what_nothing_beats() -> None:
    sizes_and_scores = {"small": (10, 80), "large": (90, 95), "beaten": (50, 79), "twin": (10, 70), "middle": (40, 90)}
    made = [sizes.Point(name, size, score, None, "") for name, (size, score) in sizes_and_scores.items()]
    assert [one.name for one in sizes.front(made, +1)] == ["small", "middle", "large"]
    assert [one.name for one in sizes.front(made, -1)] == ["twin"]


def test_labels_are_pushed_apart_and_stay_inside() -> None:
    moved = svg.spread([50.0, 50.0, 51.0, 99.0], 13, 0, 100)
    assert all(later - earlier >= 13 - 1e-9 for earlier, later in zip(sorted(moved), sorted(moved)[1:], strict=False))
    assert min(moved) >= 0
    assert max(moved) <= 100
    assert sorted(range(4), key=lambda n: moved[n]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0, 1, False), (-3.2, 4.4, False), (1200, 2.9e6, True), (3, 8, True), (95.0, 95.9, False)]
)
def test_ticks_are_round_and_inside(low: float, high: float, log: bool) -> None:
    ticks = svg.Axis(low, high, 0, 100, log).ticks()
    assert 1 <= len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)
    assert not log or all(f"{tick:.0e}"[0] in "1235" for tick in ticks)


@pytest.mark.parametrize(
    ("limit", "allowed", "figure", "reason", "better", "used"),
    [
        ("max_bytes", 100, 50, "", 1, 0.5),
        ("smaller", 50, 100, "", 1, 0.5),
        ("floor", 80, 40, "too low", 1, 2.0),
        ("floor", 30, 15, "", -1, 0.5),
        ("max_drop", 0.0, 1.0, "lost", 1, limits.FULL),
        ("max_drop", 1.0, -2.0, "", 1, 0.0),
        ("faster", 2.0, None, "not measured", 1, limits.FULL),
    ],
)
def test_how_much_of_a_limit_is_used(
    limit: str, allowed: float, figure: float | None, reason: str, better: int, used: float
) -> None:
    item = {"limit": limit, "allowed": allowed, "figure": figure, "reason": reason}
    assert limits.share(item, better) == pytest.approx(used)


def test_differences_name_each_leaf_and_leave_hashes_out() -> None:
    before = {"params": {"train": {"epochs": 3, "same": 1}}, "dvc": {"a": "1"}, "corpus": {"name": "old"}}
    now = {"params": {"train": {"epochs": 4, "same": 1}}, "dvc": {"a": "2"}, "libraries": {"numpy": "2"}}
    assert list(changes.differences(before, now)) == [
        ("corpus.name", "old", "none"),
        ("libraries.numpy", "none", "2"),
        ("params.train.epochs", "3", "4"),
    ]


def test_each_tasks_mistakes_have_their_picture() -> None:
    det = {"interval": [1.0, 2.0], "det": [[100.0, 0.0], [10.0, 5.0], [0.0, 100.0]]}
    phonemes = {
        "interval": [1.0, 2.0],
        "phonemes": {"ɐ": [10, 1, 2, 3], "t": [4, 0, 0, 0]},
        "confused": [["ɐ", "t", 1]],
    }
    for found, words in ((det, "Detection error trade-off"), (phonemes, "Errors by phoneme, teacher")):
        one = page.story.Story("m", "score", 1, {}, {}, [], {}, {"teacher": found}, {}, {}, {})
        assert words in "".join(mistakes.chapter(one).pictures)


def test_the_threshold_that_ships_is_a_point_of_the_curve() -> None:
    det = {"interval": [1.0, 2.0], "det": [[100.0, 0.0], [10.0, 5.0], [0.0, 100.0]]}
    shipped = Artifact("m", "desktop", "numpy-float16", {"false_accepts": 10.0, "false_rejects": 5.0}, True)
    for artifacts, dots in (([shipped], 1), ([], 0)):
        one = page.story.Story("m", "eer", -1, {}, {}, artifacts, {}, {"teacher": det}, {}, {}, {})
        drawn = "".join(mistakes.chapter(one).pictures)
        assert drawn.count("<circle") == dots
        assert ("10.0 % are let in and 5.0 % kept out" in drawn) == bool(dots)
