"""Hostile input by the thousand: ``python tests/fuzz.py --inputs 200000 [--seed 1] [--driver random|atheris]``.

Every input must end within its limits of time and memory in a result or a ``ConvcostError``: no other exception, no
hang. Inputs are mutations of every bundled spec, of the error files, and of valid expressions, settings and
sizes. The random driver needs nothing; ``atheris`` (coverage-guided, ``pip install atheris``) mutates the same seeds.
Failures are written to ``--crashes DIR``, each with its traceback.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcost.cli.options import parse_input, parse_settings
from convcost.errors import ConvcostError
from convcost.expression import compile_expression
from convcost.report import analyze
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue
from convcost.table import cost_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 2
MEGABYTES = 500

_PLAIN = """
input layers let blocks parameters extends title conv relu add concat multiply do output from for in when repeat
first name out kernel stride padding same valid groups bias true false none x input.h x.c range( make_divisible(
1x7 [1,2] {a:1} 'w' 9**99 10**40 1e300 0 -1 10000000000 1/3 // % and or not if else == != << & * ! | > ` @ # : - ,
( ) [ ] __import__('os') lambda:0 {} {expr}
"""
WORDS = (*_PLAIN.split(), "\t", "\n", "\\", "\x00", "\x1b[31m", "\ud800", "\u00e9", '""', "''")


class Slow(BaseException):
    """An input took longer than it may."""


def _alarm(_signal: int, _frame: object) -> None:
    raise Slow


def spec_from_bytes(data: bytes) -> None:
    """A spec file: read, checked, linked, run, reported."""
    spec = Catalogue().text(data, "<fuzz>", "fuzz", str(ROOT / "specs"))
    table = cost_table(analyze(build(spec)), fold=True)
    assert table.columns


def expression(data: bytes) -> None:
    """An expression, evaluated over a small scope."""
    compiled = compile_expression(data.decode("utf-8", "replace"))
    compiled.evaluate(_Scope(n=7, table={"a": (1, 2), 3: 4}, word="same", yes=True))


class _Scope(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise ConvcostError(f"unknown name '{name}'")


def settings(data: bytes) -> None:
    """``--set`` on a network and on a block."""
    text = data.decode("utf-8", "replace")
    for target in ("mobilenet_v2", "inverted_residual"):
        spec = Catalogue().target(target)
        build(spec, parse_settings(spec, tuple(text.split("\x1f"))))


def input_size(data: bytes) -> None:
    """``--input``."""
    spec = Catalogue().target("squeeze_excite")
    build(spec, {}, parse_input(data.decode("utf-8", "replace")))


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "spec": (
        spec_from_bytes,
        [path.read_bytes() for folder in ("specs", "tests/errors") for path in (ROOT / folder).rglob("*.yaml")],
    ),
    "expression": (
        expression,
        [b"7 // 2 + n*(3 - 1)**2", b"make_divisible(n*0.75, 8)", b"table['a'][1] if n > 3 and yes else sum(range(n))",
         b"[1, 2.5e1, 'w'][-1] in [1, 2]", b"min(n, 3, max([1, 2])) % 5 != 1 or not yes", b"gcd(12, n) + len(table)"],
    ),
    "settings": (
        settings,
        [b"alpha=0.75", b"size=192\x1fclasses=10", b"t=1\x1fI=16", b"K=1x7", b"O=[1, 2]", b"stride=2"],
    ),
    "input": (input_size, [b"3x224x224", b"64", b"64x100", b"3x16x32x32"]),
}  # fmt: skip


def mutated(seed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """``seed`` changed in one to three places."""
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        if kind == 0:
            data[at:at] = chance.choice(WORDS).encode("utf-8", "surrogatepass")
        elif kind == 1 and data:
            data[at : at + chance.randint(1, 20)] = b""
        elif kind == 2 and data:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            piece = data[at : at + chance.randint(1, 60)]
            data[at:at] = piece * chance.choice((1, 1, 2, 50))
        elif kind == 4:
            other = chance.choice(others)
            begin = chance.randrange(len(other) + 1)
            data[at:at] = other[begin : begin + chance.randint(1, 80)]
        elif kind == 5:
            lines = data.split(b"\n")
            chance.shuffle(lines[: chance.randint(0, len(lines))])
            first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[first], lines[second] = lines[second], lines[first]
            data = bytearray(b"\n".join(lines))
        else:
            digits = [index for index, byte in enumerate(data) if 48 <= byte <= 57]
            if digits:
                place = chance.choice(digits)
                data[place : place + 1] = str(chance.choice((0, 1, 2, 99, 10**9, -1))).encode()
    return bytes(data[:200_000])


REFUSED = ""


def attempt(function: Callable[[bytes], None], data: bytes) -> str | None:
    """None for a result, ``REFUSED`` for a clear error, else what went wrong."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        function(data)
    except ConvcostError:
        return REFUSED
    except Slow:
        return f"took longer than {SECONDS} s\n"
    except BaseException:  # noqa: BLE001 - whatever it is, it is what we look for
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def inputs(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` mutated inputs, three of four of them specs."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for number in range(count):
        name = "spec" if number % 4 else chance.choice([name for name in TARGETS if name != "spec"])
        seeds = TARGETS[name][1]
        yield name, mutated(chance.choice(seeds), seeds, chance)


def run_random(count: int, seed: int, crashes: Path) -> int:
    """Try ``count`` inputs; how many failed."""
    failed = accepted = 0
    began = time.monotonic()
    for number, (name, data) in enumerate(inputs(count, seed), 1):
        found = attempt(TARGETS[name][0], data)
        accepted += found is None
        if found:
            failed += 1
            (crashes / f"{name}-{failed}.txt").write_bytes(data)
            (crashes / f"{name}-{failed}.traceback").write_text(found)
        if number % 1000 == 0:
            sys.stderr.write(f"\r{number:,} inputs, {failed} failed, {time.monotonic() - began:,.0f} s")
    sys.stderr.write("\n")
    sys.stdout.write(f"{accepted:,} gave a result, {count - accepted - failed:,} a clear error\n")
    return failed


def run_atheris(count: int, seed: int, crashes: Path) -> int:
    """The spec target under atheris; stops at the first failure."""
    import atheris  # noqa: PLC0415 - not installed unless asked for

    corpus = Path(tempfile.mkdtemp())
    for index, data in enumerate(TARGETS["spec"][1]):
        (corpus / str(index)).write_bytes(data)

    def one(data: bytes) -> None:
        found = attempt(spec_from_bytes, data)
        if found:
            (crashes / "atheris.traceback").write_text(found)
            raise RuntimeError(found)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-runs={count}", f"-seed={seed}", f"-artifact_prefix={crashes}/", str(corpus)], one)
    atheris.Fuzz()
    return 0


def main() -> None:
    """Parse the arguments, set the limits, run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--driver", choices=["random", "atheris"], default="random")
    parser.add_argument("--crashes", type=Path, default=None)
    options = parser.parse_args()
    crashes = options.crashes or Path(tempfile.mkdtemp(prefix="convcost-fuzz-"))
    crashes.mkdir(parents=True, exist_ok=True)
    if options.driver == "random":
        limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + 2 * MEGABYTES * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _alarm)
    run = run_random if options.driver == "random" else run_atheris
    failed = run(options.inputs, options.seed, crashes)
    sys.stdout.write(f"{options.inputs:,} inputs, {failed} failed\n")
    if failed:
        sys.stdout.write(f"see {crashes}\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
