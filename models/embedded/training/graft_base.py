"""
Puts a further trained base under a finished control: of what control had changed in its subset, a share is kept,
new subset = new base + share (old subset - old base). Wants `control` trained further afterwards.
"""

from __future__ import annotations

import argparse

import torch

from run import averaged
from stages import Subset, load_base, load_subset, unet_before


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", required=True, help="folder of the runs with the earlier base and its control")
    parser.add_argument("--out", required=True, help="folder of the runs with the base that was trained further")
    parser.add_argument("--share", type=float, default=0.4)
    args = parser.parse_args()
    tuned = unet_before(args.before, "control")
    load_subset(tuned, args.before, "control")
    before, after = load_base(args.before).state_dict(), load_base(args.out).state_dict()
    subset = Subset(tuned)
    for name, value in subset.named().items():
        value.copy_(after[name] + args.share * (value - before[name]))
    average = {"subset": subset.state_dict(), "control": averaged(args.before, "control", "control")}
    torch.save({"average": average}, f"{args.out}/control.pt")


if __name__ == "__main__":
    main()
