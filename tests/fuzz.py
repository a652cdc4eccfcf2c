"""Hostile input by the thousand: ``python tests/fuzz.py --inputs 200000 [--seed 1] [--driver random|atheris]``.

Every input must end within its limits of time and memory in a result or a ``ConvcostError``: no other exception, no
hang. Inputs are mutations of the seeds in ``fuzz_targets``: every bundled spec, the error files, expressions,
settings, sizes, budgets, ties, printed figures, devices, conventions, ONNX files, models of Keras, whole command lines.
The random driver needs nothing; ``atheris`` (coverage-guided, ``pip install atheris``) mutates the specs. Failures are
written to ``--crashes DIR``, each with its traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz_targets import SEPARATOR, TARGETS, spec_from_bytes

from convcost.errors import ConvcostError
from convcost.network import graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 2  # of processor time: the machine may be busy with something else
MOST_SECONDS = 60  # by the clock: an input that waits uses no processor
MEGABYTES = 500

_PLAIN = """
input layers let blocks parameters extends title conv relu add concat multiply do output from for in when repeat
first name out kernel stride padding same valid groups bias true false none x input.h x.c range( make_divisible(
1x7 [1,2] {a:1} 'w' 9**99 10**40 1e300 0 -1 10000000000 1/3 // % and or not if else == != << & * ! | > ` @ # : - ,
( ) [ ] __import__('os') lambda:0 {} {expr} macs params flops 300M 1.5G <= >= ~ plain lenet5 --set --format json -o
"""
WORDS = (
    *_PLAIN.split(),
    "\t",
    "\n",
    SEPARATOR,
    "\\",
    "\x00",
    "\x1b[31m",
    "\x9b",
    "\ud800",
    "\u00e9",
    "\u202e",
    '""',
    "''",
)


class Slow(BaseException):
    """An input took longer than it may."""


def _alarm(_signal: int, _frame: object) -> None:
    raise Slow


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
            between = SEPARATOR.encode() if SEPARATOR.encode() in data else b"\n"
            parts = data.split(between)
            first, second = chance.randrange(len(parts)), chance.randrange(len(parts))
            parts[first], parts[second] = parts[second], parts[first]
            data = bytearray(between.join(parts))
        else:
            digits = [index for index, byte in enumerate(data) if 48 <= byte <= 57]
            if digits:
                place = chance.choice(digits)
                data[place : place + 1] = str(chance.choice((0, 1, 2, 99, 10**9, -1))).encode()
    return bytes(data[:200_000])


REFUSED = ""


def attempt(function: Callable[[bytes], None], data: bytes) -> str | None:
    """None for a result, ``REFUSED`` for a clear error, else what went wrong."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        function(data)
    except ConvcostError:
        return REFUSED
    except Slow:
        return f"took longer than {SECONDS} s\n{traceback.format_exc()}"
    except BaseException:  # noqa: BLE001 - whatever it is, it is what we look for
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def limit_memory() -> None:
    """Let the process grow by no more than an input may take."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def inputs(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` mutated inputs, of every kind its share."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    kinds, shares = list(TARGETS), [target.share for target in TARGETS.values()]
    for name in chance.choices(kinds, shares, k=count):
        seeds = TARGETS[name].seeds
        yield name, mutated(chance.choice(seeds), seeds, chance)


def run_random(count: int, seed: int, crashes: Path) -> int:
    """Try ``count`` inputs; how many failed."""
    results, refused, failed = Counter[str](), Counter[str](), Counter[str]()
    spent = Counter[str]()
    graph.MAX_NODES = 25_000  # the largest networks take their time; test_limits.py has them
    for target in TARGETS.values():  # once without limits, so that no input pays for what is loaded once
        with contextlib.suppress(ConvcostError):
            target.run(target.seeds[0])
    began = time.monotonic()
    for number, (name, data) in enumerate(inputs(count, seed), 1):
        limit_memory()
        started = time.monotonic()
        found = attempt(TARGETS[name].run, data)
        spent[name] += time.monotonic() - started
        (results if found is None else refused if found == REFUSED else failed)[name] += 1
        if found:
            file = f"{name.replace(' ', '-')}-{number}"
            (crashes / f"{file}.txt").write_bytes(data)
            (crashes / f"{file}.traceback").write_text(found, errors="backslashreplace")
        if number % 1000 == 0:
            sys.stderr.write(f"\r{number:,} inputs, {failed.total()} failed, {time.monotonic() - began:,.0f} s")
    sys.stderr.write("\n")
    for name in TARGETS:
        sys.stdout.write(
            f"{name:16} {results[name]:9,} gave a result, {refused[name]:9,} a clear error, {failed[name]} failed; "
            f"{spent[name]:,.0f} s\n"
        )
    sys.stdout.write(f"{results.total():,} gave a result, {refused.total():,} a clear error\n")
    return failed.total()


def run_atheris(count: int, seed: int, crashes: Path) -> int:
    """The spec target under atheris; stops at the first failure."""
    import atheris  # noqa: PLC0415 - not installed unless asked for

    corpus = Path(tempfile.mkdtemp())
    for index, data in enumerate(TARGETS["spec"].seeds):
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
    signal.signal(signal.SIGALRM, _alarm)
    signal.signal(signal.SIGPROF, _alarm)
    run = run_random if options.driver == "random" else run_atheris
    failed = run(options.inputs, options.seed, crashes)
    sys.stdout.write(f"{options.inputs:,} inputs, {failed} failed\n")
    if failed:
        sys.stdout.write(f"see {crashes}\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
