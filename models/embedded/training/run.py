"""A training run in a folder: checkpoints that appear by rename, a log of JSON lines, going on where it stopped."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any, Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from data import Batch


def arguments(description: str, steps: int, batch: int, lr: float) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="folder of shards")
    parser.add_argument("--out", required=True, help="folder of checkpoints and logs")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--lr", type=float, default=lr)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--minutes", type=float, default=0, help="end early after so long; the schedule follows the clock")
    return parser


def prepare(args: argparse.Namespace) -> torch.device:
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Average:
    """Exponential moving average of parameters, which is what is shipped."""

    def __init__(self, modules: Mapping[str, nn.Module], decay: float):
        self.modules, self.decay, self.count = modules, decay, 0
        self.values = {name: {k: v.detach().clone() for k, v in m.state_dict().items()} for name, m in modules.items()}

    @torch.no_grad()
    def update(self) -> None:
        self.count += 1
        keep = min(self.decay, (1 + self.count) / (10 + self.count))
        for name, module in self.modules.items():
            for key, value in module.state_dict().items():
                self.values[name][key].lerp_(value, 1 - keep)


class Run:
    """
    `modules` and `optimizer` are restored from `out/NAME.pt` if it is there. Random numbers of a step depend on the seed
    and the step alone, so a run that was cut off gives the same weights as one that was not. What a step leaves to the next
    besides weights is `under_way`, kept in checkpoints too.
    """

    def __init__(self, name: str, args: argparse.Namespace, modules: Mapping[str, nn.Module], optimizer: Any, decay=0.999,
                 under_way: Mapping[str, Any] = {}):
        self.name, self.args, self.modules, self.optimizer = name, args, modules, optimizer
        self.under_way = under_way
        self.folder = Path(args.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / f"{name}.pt"
        self.average = Average(modules, decay)
        self.first, self.spent = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            self.restore(state)
            print(f"{name}: going on at step {self.first}", flush=True)

    def restore(self, state: dict[str, Any]) -> None:
        """A checkpoint with nothing but averages (`import_bundle.py`) is a start at step 0 from them."""
        whole = "modules" in state
        for key, module in self.modules.items():
            missing, unknown = module.load_state_dict(state["modules" if whole else "average"][key], strict=whole)
            if unknown:
                raise ValueError(f"{self.path}: not parameters of {key}: {', '.join(unknown[:5])}")
        self.average = Average(self.modules, self.average.decay)
        if whole:
            self.average.values, self.average.count = state["average"], state["count"]
            self.optimizer.load_state_dict(state["optimizer"])
            self.first, self.spent = state["step"], state["seconds"]
            for key, value in self.under_way.items():
                value.load_state_dict(state["under_way"][key])

    def save(self, step: int, seconds: float) -> None:
        state = {
            "modules": {key: module.state_dict() for key, module in self.modules.items()},
            "average": self.average.values,
            "count": self.average.count,
            "optimizer": self.optimizer.state_dict(),
            "step": step,
            "seconds": seconds,
            "under_way": {key: value.state_dict() for key, value in self.under_way.items()},
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.path)

    def train(self, sample: Callable[[np.random.Generator], Batch], loss_of: Callable[[Batch], dict[str, Tensor]],
              every: int = 20, save: int = 200, look: Callable[[int], None] | None = None) -> None:
        """
        `sample(rng)` reads a batch; `loss_of(batch)` returns named losses, of which `loss` is minimised. Batches are not
        read ahead in another thread: a second pool of threads for a few milliseconds of work slows the steps by a third.
        """
        start, sums = time.time(), {}
        step = self.first
        limit = self.args.minutes * 60
        while True:
            seconds = self.spent + time.time() - start
            # With a time limit the schedule follows the clock instead of the step count.
            progress = seconds / limit * self.args.steps if limit else step
            if progress >= self.args.steps:
                break
            batch = sample(np.random.default_rng([self.args.seed, step]))
            torch.manual_seed(int(np.random.SeedSequence([self.args.seed, step, 1]).generate_state(1)[0]))
            losses = loss_of(batch)
            losses["loss"].backward()
            self.optimizer.step(progress if limit else step)
            self.average.update()
            for key, value in losses.items():
                sums[key] = sums.get(key, 0.0) + float(value.detach())
            step += 1
            if step % every == 0:
                seconds = self.spent + time.time() - start
                line = {"step": step, "seconds": round(seconds, 1), **{k: round(v / every, 5) for k, v in sums.items()}}
                with open(self.folder / f"{self.name}.jsonl", "a") as log:
                    log.write(json.dumps(line) + "\n")
                print(self.name, line, flush=True)
                sums = {}
            if step % save == 0:
                self.save(step, self.spent + time.time() - start)
                if look:
                    look(step)
        self.save(step, self.spent + time.time() - start)
        if look:
            look(step)


def averaged(folder: str | Path, name: str, key: str) -> dict[str, Tensor]:
    """The averaged weights of module `key` in the checkpoint of run `name`."""
    return torch.load(Path(folder) / f"{name}.pt", map_location="cpu", weights_only=True)["average"][key]
