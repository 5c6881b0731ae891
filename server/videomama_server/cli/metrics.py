"""`videomama metrics`: measure an alpha against the truth."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from videomama_client.errors import BadInput

from videomama_server import frames, sequences
from videomama_server.metrics import ClipMetrics


@click.command()
@click.argument("prediction")
@click.argument("truth")
@click.option("--channel", default="", help="Channel to read of both; by default A, else the only one, else R.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def metrics(prediction: str, truth: str, channel: str, as_json: bool) -> None:
    """Measure PREDICTION against TRUTH.

    Both are patterns such as alpha.####.exr. Prints MAD, MSE, GRAD and dtSSD; lower is better.
    """
    predicted, true = sequences.find(sequences.parse(prediction)), sequences.find(sequences.parse(truth))
    missing = sorted(predicted.keys() ^ true.keys())
    if missing:
        raise BadInput(
            f"frames {sequences.format_range(missing)} are only on one side", "Measure the same frames of both."
        )
    measured = ClipMetrics()
    for frame, path in predicted.items():
        alphas = [frames.read_mask(file, channel).pixels[..., 0] for file in (path, true[frame])]
        try:
            measured.add(*alphas)
        except BadInput as error:
            raise BadInput(f"frame {frame}: {error.message}", error.hint) from error
    result = asdict(measured.result())
    if as_json:
        click.echo(json.dumps(result))
        return
    for name, value in result.items():
        click.echo(f"{name:>7}  {'-' if value is None else value if name == 'frames' else f'{value:.4f}'}")
