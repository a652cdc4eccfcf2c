"""``convcost space``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, fused_option, input_option, output_options, set_option
from convcost.cli.output import show_view
from convcost.cli.progress import progress
from convcost.cli.typed import parse_input, target_of
from convcost.metrics.dtypes import BITS
from convcost.render.views import view


@click.command("space")
@click.argument("target", type=TARGET)
@click.option("--count", "counts", multiple=True, metavar="BOUND", help="How many networks meet it, as macs<=300M.")
@click.option("--quantile", "quantiles", multiple=True, metavar="SHARE", help="As .5 for the median of each metric.")
@click.option("--sample", type=int, metavar="N", help="So many networks at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same one gives the same sample.")
@click.option("--front", metavar="GOAL NAME,...", help="The best networks, as 'max params, min macs, min peak'.")
@click.option("--where", multiple=True, metavar="BOUND", help="Look only at the networks that meet it.")
@click.option(
    "--measure",
    type=click.Choice(["networks", "choices"]),
    default="networks",
    show_default=True,
    help="Every network counts once, or every option of a choice is equally likely.",
)
@click.option("--in", "wanted", metavar="NAME,...", help="Metrics: params, macs, flops, activations, peak ...")
@click.option("--dtype", type=click.Choice(list(BITS)), default="float32", show_default=True, help="Format of maps.")
@fused_option
@set_option
@input_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    counts: tuple[str, ...],
    quantiles: tuple[str, ...],
    sample: int | None,
    seed: int,
    front: str | None,
    where: tuple[str, ...],
    measure: str,
    wanted: str | None,
    dtype: str,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    fused: bool,
    exact: bool,
) -> None:
    """All networks of the design space TARGET: their number, their costs, samples, and the best.

    A design space is a spec with `choose` on steps or parameters. Counts are exact: the costs of independent choices
    add up, so that only one network for each option is built. BOUND is METRIC<=VALUE, also <, >= or >, on a quantity
    that adds up or on peak. A choice that changes what later layers see is refused with its name.
    """
    from convcost.spaces.space import Answers, Quantile, share_of  # noqa: PLC0415 - imports numpy

    shares = [share_of(text) for text in quantiles]
    space = api.space(
        target_of(target, settings),
        input=parse_input(input_),
        dtype=dtype,
        fused=fused,
        progress=progress("combinations"),
    )
    keys = tuple(dict.fromkeys(name.strip().lower() for name in wanted.split(","))) if wanted else space.usual
    answers = Answers(
        space,
        keys,
        where,
        measure,
        counts=[space.count(text, where, measure) for text in counts],
        quantiles=[
            Quantile(share, key, space.quantile(share, key, where, measure)) for share in shares for key in keys
        ],
        sample=None if sample is None else space.sample(sample, seed, where, measure),
        front=None if front is None else space.front([front], where),
    )
    show_view(view(answers), format_, output, exact=exact)
