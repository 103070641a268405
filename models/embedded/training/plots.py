"""Draws the curves of docs/training.md from the logs of the runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

COLOURS = {"cross": "#1b6ca8", "zero": "#d1495b", "plain": "#66a182"}
NAMES = {"cross": "cross normalisation", "zero": "zero convolution", "plain": "plain addition"}


def lines(path: Path) -> list[dict]:
    """A log; steps that were run again after a restart count once, the last time."""
    return list({line["step"]: line for line in map(json.loads, path.read_text().splitlines())}.values())


def stages(folder: Path, file: Path) -> None:
    names = [name for name in ("base", "motion", "control", "control-again", "video") if (folder / f"{name}.jsonl").exists()]
    figure, axes = plt.subplots(1, len(names), figsize=(3.1 * len(names), 2.6), squeeze=False)
    for axis, name in zip(axes[0], names):
        log = lines(folder / f"{name}.jsonl")
        for key, label in (("high", "noise above 3"), ("low", "noise below 0.5")):
            axis.plot([line["step"] for line in log], [line[key] for line in log], label=label, linewidth=1.2)
        axis.set_title(name)
        axis.set_xlabel("step")
        axis.set_ylim(0, 1)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("error of v")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Title": "Error of v over the steps of each stage"})


def own_sampling(folder: Path, file: Path, window: int = 5) -> None:
    """Error of the clean latents at the end of the model's own sampling, in the two halves of stage `control --own`."""
    figure, axis = plt.subplots(figsize=(6, 2.8))
    end = 0
    for name, label in (("own-before", "the reference's details shut out"), ("own", "let in")):
        log = lines(folder / f"{name}.jsonl")
        smooth = np.convolve([line["last"] for line in log], np.ones(window) / window, "valid")
        axis.plot([end + line["step"] for line in log[window - 1 :]], smooth, label=label, linewidth=1.4)
        end += log[-1]["step"]
    axis.set_xlabel("step")
    axis.set_ylabel("error of the last step")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Title": "Error of the model's own samples over the steps"})


def injection(folder: Path, file: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    for method, colour in COLOURS.items():
        runs = [json.loads(path.read_text())["curve"] for path in sorted(folder.glob(f"{method}-*.json"))]
        for axis, key in zip(axes, ("loss", "overlap")):
            curves = [[point[key] for point in run if point[key] is not None] for run in runs]
            steps = [point["step"] for point in runs[0] if point[key] is not None]
            for curve in curves:
                axis.plot(steps, curve, color=colour, alpha=0.3, linewidth=0.8)
            axis.plot(steps, np.mean(curves, 0), color=colour, label=NAMES[method])
            axis.set_xlabel("step")
            axis.grid(alpha=0.3)
    axes[0].set_ylabel("loss")
    axes[1].set_ylabel("silhouette IoU")
    axes[1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Title": "Loss and silhouettes by way of injection"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, help="folder of logs")
    parser.add_argument("--docs", required=True, help="folder to draw into")
    args = parser.parse_args()
    plt.rcParams["svg.hashsalt"] = "pantomime"
    runs, docs = Path(args.runs), Path(args.docs)
    stages(runs, docs / "training-stages.svg")
    if (runs / "own.jsonl").exists():
        own_sampling(runs, docs / "training-own.svg")
    if (runs / "injection").exists():
        injection(runs / "injection", docs / "training-injection.svg")


if __name__ == "__main__":
    main()
