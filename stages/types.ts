/** The contracts between stages. A stage imports this file and `models/`, never another stage. */

/** An exact fraction, e.g. 30000/1001 frames per second. Both positive, lowest terms. */
export type Rational = { readonly num: number; readonly den: number };

/** What `probe` finds out about a media file before any frame is decoded. */
export type MediaInfo = {
  readonly path: string;
  readonly format: string;
  readonly durationSec: number | undefined;
  readonly video: VideoInfo;
  readonly audio: AudioInfo | undefined;
};

export type VideoInfo = {
  readonly codec: string;
  /** Stored size, before rotation and sample aspect ratio. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Display size: upright, square pixels. */
  readonly width: number;
  readonly height: number;
  /** Clockwise turn that makes the stored picture upright: 0, 90, 180 or 270. */
  readonly rotationDeg: number;
  /** Average (for a constant-rate file: exact) frame rate. */
  readonly frameRate: Rational;
  readonly variableFrameRate: boolean;
  readonly frameCount: number | undefined;
  readonly pixelFormat: string;
  readonly bitDepth: number;
  readonly hasAlpha: boolean;
  readonly color: {
    readonly primaries: string | undefined;
    readonly transfer: string | undefined;
    readonly matrix: string | undefined;
    readonly range: string | undefined;
    readonly hdr: boolean;
  };
};

export type AudioInfo = {
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  readonly durationSec: number | undefined;
};

/** A tight RGB24 picture: `data.length === width * height * 3`. */
export type RgbImage = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Upright constant-rate RGB frames in display order, pulled one at a time (back-pressure). All frames share one size. */
export type FrameStream = {
  readonly width: number;
  readonly height: number;
  readonly frameRate: Rational;
  /** Exact when known before decoding. */
  readonly frameCount: number | undefined;
  readonly frames: AsyncIterable<RgbImage>;
};

/** x, y in 0..1 of their own picture (outside it when the joint is); score is the detector's confidence, may exceed 1. */
export type Keypoint = { readonly x: number; readonly y: number; readonly score: number };

/** One person of one frame. */
export type Person = {
  /**
   * 18 points in OpenPose order: 0 nose, 1 neck, 2-4 right shoulder/elbow/wrist, 5-7 left, 8-10 right hip/knee/ankle,
   * 11-13 left, 14/15 right/left eye, 16/17 right/left ear. A joint counts as present when its score is over 0.3.
   */
  readonly body: readonly Keypoint[];
  /** 21 points each, in COCO-WholeBody / MediaPipe order; null when not found. */
  readonly leftHand: readonly Keypoint[] | null;
  readonly rightHand: readonly Keypoint[] | null;
  /** 68 points in iBUG order; null when not found. */
  readonly face: readonly Keypoint[] | null;
};

/** The people found in one frame; empty when nobody was. */
export type PoseFrame = { readonly people: readonly Person[] };

/** Poses of a whole clip. This is what `pose.json` holds (documented in docs/pose-json.md). */
export type PoseSequence = {
  readonly version: 1;
  /** Size of the pictures in which the poses were found (their aspect matters to alignment). */
  readonly width: number;
  readonly height: number;
  readonly frameRate: Rational;
  /** What found them, e.g. `mediapipe-full`. */
  readonly detector: string;
  readonly frames: readonly PoseFrame[];
};
