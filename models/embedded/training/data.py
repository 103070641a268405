"""Shards of drawn characters, as `samples/write-cast-data.ts` writes them, read in place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

#: Labels of the part maps.
BACKGROUND, CLOTHES, SKIN, FACE, HANDS, SHOES = range(6)
LABELS = 6
#: Joints of a body, in OpenPose's order, and which of them each one is in a mirror.
JOINTS = 18
FLIPPED = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)


@dataclass(frozen=True)
class Batch:
    """`B` clips of `F` frames. Pictures are float32 in 0..1."""

    reference: Tensor  # [B, 3, H, W]
    frames: Tensor  # [B * F, 3, H, W]
    poses: Tensor  # [B * F, 3, H, W]
    parts: Tensor  # [B * F, H, W] int64
    joints: Tensor  # [B * F, J, 2] in 0..1 of the picture
    traits: Tensor  # [B, K]

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def every(self, stride: int) -> "Batch":
        """Every so many of the pictures, for batches of single frames."""
        return Batch(*(getattr(self, name)[::stride] for name in self.__dataclass_fields__))

    @staticmethod
    def joined(batches: list["Batch"]) -> "Batch":
        return Batch(*(torch.cat([getattr(batch, name) for batch in batches]) for name in Batch.__dataclass_fields__))


class Cast:
    """
    All finished shards of one kind (`stills` or `clips`) in a folder. A share `turned` of what is sampled begins with a body seen from
    the side, beside those that chance brings.
    """

    def __init__(self, folder: str | Path, kind: str, turned: float = 0.0):
        self.shards, self.share, self.turned = [], turned, []
        for meta_path in sorted(Path(folder).glob(f"{kind}-*.json")):
            meta = json.loads(meta_path.read_text())
            shape = (len(meta["records"]), meta["framesPerRecord"], meta["height"], meta["width"])
            stem = str(meta_path)[: -len(".json")]
            rgb = np.memmap(f"{stem}.rgb", np.uint8, "r", shape=(*shape, 3))
            pose = np.memmap(f"{stem}.pose", np.uint8, "r", shape=(*shape, 3))
            part = np.memmap(f"{stem}.part", np.uint8, "r", shape=shape)
            traits = np.array([record["traits"] for record in meta["records"]], np.float32)
            joints = np.array([record["joints"] for record in meta["records"]], np.float32)
            if turned:
                first = sum(len(shard[0]) for shard in self.shards)
                sideways = seen_from_the_side(joints * (meta["width"], meta["height"]))
                self.turned += [(first + record, frame) for record, frame in np.argwhere(sideways) if frame]
            self.shards.append((rgb, pose, part, traits, joints))
        if not self.shards:
            raise FileNotFoundError(f"no finished {kind} shards in {folder}: run samples/write-cast-data first")
        self.records = [(s, r) for s, shard in enumerate(self.shards) for r in range(len(shard[0]))]
        self.frames_per_record = self.shards[0][0].shape[1]

    def __len__(self) -> int:
        return len(self.records)

    def sample(self, rng: np.random.Generator, batch: int, frames: int = 1, pose: bool = True) -> Batch:
        """
        `batch` random records with `frames` neighbouring frames each. The reference is frame 0 (a person at ease), or in
        three of ten cases another frame of the record.
        """
        references, pictures, poses, parts, joints, traits = [], [], [], [], [], []
        for index in rng.integers(len(self.records), size=batch):
            first = int(rng.integers(1, self.frames_per_record - frames + 1))
            if self.turned and rng.random() < self.share:
                index, first = self.turned[rng.integers(len(self.turned))]
                first = min(int(first), self.frames_per_record - frames)
            shard, record = self.records[index]
            rgb, skeleton, part, trait, joint = self.shards[shard]
            reference = int(rng.integers(1, self.frames_per_record)) if rng.random() < 0.3 else 0
            references.append(rgb[record, reference])
            pictures.append(rgb[record, first : first + frames])
            if pose:
                poses.append(skeleton[record, first : first + frames])
            parts.append(part[record, first : first + frames])
            joints.append(joint[record, first : first + frames])
            traits.append(trait[record])
        return Batch(
            picture(np.stack(references)),
            picture(np.concatenate(pictures)),
            picture(np.concatenate(poses)) if pose else torch.empty(0),
            torch.from_numpy(np.concatenate(parts).astype(np.int64)),
            torch.from_numpy(np.concatenate(joints)),
            torch.from_numpy(np.stack(traits)),
        )


def seen_from_the_side(joints: np.ndarray) -> np.ndarray:
    """Whose shoulders are less than three quarters as wide as at ease, by the length of the trunk: pixels [R, F, 18, 2] -> [R, F]."""
    shoulders = np.abs(joints[:, :, 2, 0] - joints[:, :, 5, 0])
    trunk = np.linalg.norm(joints[:, :, 1] - (joints[:, :, 8] + joints[:, :, 11]) / 2, axis=-1)
    width = shoulders / trunk
    return width < 0.75 * width[:, :1]


def picture(pixels: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(255)
