"""What somebody sees who only loads: run in an environment that has the wheel, and nothing of the project in sight.

consumer.py installed | platforms FILE | all-served FILE | sevens [AT_LEAST] | refused
"""

import logging
import re
import sys
from importlib import metadata
from pathlib import Path

import pianissimo as pp
from pianissimo.backends import find
from pianissimo.store import open_registry
from pianissimo.wav import read_wav

SEVENS, AT_LEAST = Path("sevens"), 18  # of twenty voices: one clip that the model gets wrong is no fault of its loading


def installed() -> None:
    """That the wheel is where this Python keeps its own, and which of the packages it may ask for there are."""
    if not pp.__file__.startswith(sys.prefix):
        sys.exit(f"pianissimo is not the wheel's but {pp.__file__}")
    wanted = {re.split(r"[^\w.-]", line)[0] for line in metadata.requires("pianissimo") or ()}
    found = {package.metadata["Name"]: package.version for package in metadata.distributions()}
    there = (f"{name} {found[name]}" for name in sorted(wanted & set(found)))
    print(f"pianissimo {pp.__version__} beside {', '.join(there)}")


def platforms(log: str) -> None:
    """Loads and verifies every platform; one that no backend here can run has to say which extra it needs."""
    registry = open_registry()
    for name in registry.models():
        for platform, content in registry.manifest(name).platforms.items():
            print(f"{name:<13} {platform:<9}", _proved(name, platform), flush=True)
            here = any(_installed(variant.backend) for variant in content.variants)
            with Path(log).open("a", encoding="utf-8") as lines:
                lines.write(f"{name} {platform} {'served' if here else 'missing'}\n")


def _proved(name: str, platform: str) -> str:
    try:
        model = pp.load(name, platform)
    except pp.BackendMissingError as fault:
        if "pip install 'pianissimo[" not in str(fault):
            raise
        return f"not here: {fault}"
    with model:
        proof = model.verify()
        passed = ", ".join(f"{over.variant} passed over" for over in model.info.fallbacks)
        return (
            f"{model.info.variant:<15} {model.info.bytes:>9,} bytes  "
            f"golden scores within {proof.scores:.2g} (allowed {proof.tolerance.scores:g})  {passed}"
        )


def _installed(backend: str) -> bool:
    try:
        find(backend)
    except pp.BackendMissingError:
        return False
    return True


def all_served(log: str) -> None:
    """Every platform of every model was served in one environment or another."""
    lines = [line.rsplit(" ", 1) for line in Path(log).read_text(encoding="utf-8").splitlines()]
    known, served = {name for name, _ in lines}, {name for name, how in lines if how == "served"}
    if known != served:
        sys.exit(f"no environment served {', '.join(sorted(known - served))}")
    print(f"all {len(known)} platforms of {len({name.split()[0] for name in known})} models were served")


def sevens(least: str = str(AT_LEAST)) -> None:
    """Asks the model for edge what twenty voices said."""
    clips = sorted(SEVENS.glob("*.wav"))
    with pp.load("keywords", "edge") as model:
        heard = [model.predict(*read_wav(clip)) for clip in clips]
    right = sum(answer.label == "seven" for answer in heard)
    sure = sum(answer.scores["seven"] for answer in heard) / len(heard)
    what = f"keywords version {model.info.version}, {model.info.variant}"
    print(f"{what}: {right} of {len(clips)} voices say seven, mean score {sure:.6f}")
    if right < int(least):
        sys.exit(f"wanted {least}")


def refused() -> None:
    """The pinned key did not sign this."""
    try:
        pp.load("keywords", "edge")
    except pp.SignatureError as fault:
        print(f"refused: {fault}")
    else:
        sys.exit("a manifest that nobody signed was believed")


COMMANDS = {
    "installed": installed,
    "platforms": platforms,
    "all-served": all_served,
    "sevens": sevens,
    "refused": refused,
}

if __name__ == "__main__":
    logging.getLogger("pianissimo").setLevel(logging.ERROR)  # what was passed over is printed here
    COMMANDS[sys.argv[1]](*sys.argv[2:])
