import { z } from 'zod';
import { skeletonStyles } from '../../stages/pose/draw.js';
import { mapControlPath, parseControl } from './control-value.js';
import { parseInterval } from './interval-value.js';
import { mapLoraPath, parseLora } from './lora-value.js';
import { option, text } from './option-meta.js';
import { mapPicturesPath, parsePictures } from './pictures-value.js';
import { deviceList, memorySize, rate, seconds, subject } from './values.js';

const folderOrFile = text.nullable().default(null);
const share = z.number().min(0).max(1);

/** Values of one option; bounds what is opened for it. */
const maxValues = 16;

function listOf(parse: (value: string) => unknown) {
  return z
    .array(text.refine((value) => parse(value) !== undefined))
    .max(maxValues)
    .default([]);
}

/**
 * Every option of a run: the one place that types, defaults, flags, YAML keys, the JSON Schema and docs/options.md come
 * from. `null` means "decided from the inputs"; `defaultText` says how.
 */
export const optionsSchema = z.strictObject({
  // --- Inputs
  image: option(folderOrFile, {
    group: 'Inputs',
    description: 'Picture of the character; also the first argument',
    short: '-i',
    aliases: ['ref_image_path', 'ref_image', 'reference_image'],
    placeholder: 'FILE',
    path: true,
    pose: true,
  }),
  video: option(folderOrFile, {
    group: 'Inputs',
    description: 'Driving video; also the second argument',
    aliases: ['validation_control_video_path', 'driving_video'],
    placeholder: 'FILE',
    path: true,
    pose: true,
  }),
  pose: option(folderOrFile, {
    group: 'Inputs',
    description: 'Poses from an earlier run or from your own editor, instead of a driving video',
    aliases: ['pose_file', 'pose_json'],
    placeholder: 'pose.json',
    path: true,
  }),
  controlVideo: option(folderOrFile, {
    group: 'Inputs',
    description: 'Ready-made skeleton video, or a folder of skeleton pictures, used as it is',
    aliases: ['pose_images', 'pose_video'],
    placeholder: 'FILE|FOLDER',
    path: true,
  }),
  controlPictures: option(listOf(parsePictures), {
    group: 'Inputs',
    description:
      'What the --control of that name looks at, one picture for each frame of the driving video, cut by the same start, stride and rate',
    placeholder: 'NAME=FILE|FOLDER',
    valuesText: '`NAME=FILE|FOLDER`; may be repeated',
    list: { mapPath: mapPicturesPath },
  }),
  // --- Model
  model: option(text.default('embedded'), {
    group: 'Model',
    description:
      'The image-to-video model: a folder in diffusers layout (unet/, vae/, ...), one file (svd_xt_1_1.safetensors), or the name of a model that was pulled or added (pantomime models list); embedded: the small one that comes with pantomime, for characters drawn by it',
    short: '-m',
    aliases: ['pretrained_model_name_or_path', 'model_path'],
    placeholder: 'FOLDER|FILE|NAME',
    valuesText: 'folder, file, name, `hf:OWNER/NAME@REVISION` or `embedded`',
    path: true,
    keywords: ['embedded'],
    modelUse: '--model',
  }),
  overlay: option(text.default('auto'), {
    group: 'Model',
    description:
      'Fine-tuned UNet tensors laid over the model; auto: unet_overlay.safetensors in the model folder, if there',
    aliases: ['unet', 'unet_path', 'unet_overlay'],
    placeholder: 'FILE|NAME',
    valuesText: 'file, name, `auto` or `none`',
    path: true,
    keywords: ['auto', 'none'],
    modelUse: '--overlay',
  }),
  controlnext: option(text.default('auto'), {
    group: 'Model',
    description: 'Pose control network; auto: controlnext.safetensors in the model folder; none: run without control',
    aliases: ['controlnext_path', 'controlnet_path'],
    placeholder: 'FILE|NAME',
    valuesText: 'file, name, `auto` or `none`',
    path: true,
    keywords: ['auto', 'none'],
    modelUse: '--controlnext',
  }),
  dwposeDetector: option(folderOrFile, {
    group: 'Model',
    description: 'Person detector of DWPose, an ONNX file of YOLOX-L',
    placeholder: 'FILE',
    defaultText: 'yolox_l.onnx in the Hugging Face cache',
    path: true,
    pose: true,
  }),
  dwposePose: option(folderOrFile, {
    group: 'Model',
    description: 'Pose network of DWPose, an ONNX file of RTMPose with 133 points',
    placeholder: 'FILE',
    defaultText: 'dw-ll_ucoco_384.onnx in the Hugging Face cache',
    path: true,
    pose: true,
  }),
  variant: option(z.enum(['auto', 'fp16', 'fp32']).default('auto'), {
    group: 'Model',
    description:
      'Which files of a model folder are used: those with fp16 in their name or those without; auto: what is there, fp16 where both are',
  }),
  control: option(listOf(parseControl), {
    group: 'Model',
    description:
      'Another ControlNeXt module, its strength, and the part of the steps in which it works; pose and pose-... see the drawn skeletons, other names their --control-pictures; pose takes the place of --controlnext',
    placeholder: 'NAME=FILE[:SCALE][@START-END]',
    valuesText: '`NAME=FILE[:SCALE][@START-END]`, `pose=auto...`; may be repeated',
    list: { mapPath: mapControlPath },
  }),
  lora: option(listOf(parseLora), {
    group: 'Model',
    description: 'LoRA added to the UNet (kohya, diffusers or PEFT file), and how strongly: 1 unless said, 0 is none',
    aliases: ['loras', 'lora_path'],
    placeholder: 'FILE[:SCALE]',
    valuesText: '`FILE[:SCALE]`; may be repeated',
    list: { mapPath: mapLoraPath },
  }),
  // --- Clip
  start: option(seconds.default(0), {
    group: 'Clip',
    description: 'Where in the driving video to begin',
    valuesText: 'seconds or [h:]m:s',
    aliases: ['start_time'],
    placeholder: 'TIME',
    pose: true,
  }),
  duration: option(seconds.nullable().default(null), {
    group: 'Clip',
    description: 'How much of the driving video to use',
    valuesText: 'seconds or [h:]m:s',
    defaultText: 'to the end',
    placeholder: 'TIME',
    pose: true,
  }),
  stride: option(z.int().min(1).max(1000).nullable().default(null), {
    group: 'Clip',
    description: 'Use every Nth frame of the driving video; the output plays at its rate divided by N',
    aliases: ['sample_stride', 'frame_stride'],
    defaultText: '2; 1 with --pose or --control-video',
    placeholder: 'N',
    pose: true,
  }),
  fps: option(rate.nullable().default(null), {
    group: 'Clip',
    description: 'Read the driving video at this rate, before the stride',
    valuesText: 'frames per second, e.g. 25 or 30000/1001',
    defaultText: "the video's own",
    placeholder: 'RATE',
    pose: true,
  }),
  maxFrames: option(z.int().min(1).max(1_000_000).nullable().default(null), {
    group: 'Clip',
    description: 'Stop after this many frames of output',
    aliases: ['max_frame_num', 'num_frames'],
    defaultText: 'all',
    placeholder: 'N',
    pose: true,
  }),
  // --- Pose
  poseBackend: option(z.enum(['mediapipe', 'dwpose']).default('mediapipe'), {
    group: 'Pose',
    description:
      'What finds the poses: MediaPipe, which comes with pantomime, or DWPose, as the published pipeline does',
    aliases: ['pose_detector'],
    pose: true,
  }),
  poseModel: option(z.enum(['lite', 'full', 'heavy']).default('full'), {
    group: 'Pose',
    description: 'Network of MediaPipe, from fastest to most exact',
    pose: true,
  }),
  hands: option(z.boolean().default(true), {
    group: 'Pose',
    description: 'Look for fingers too',
    negative: 'Do not look for fingers',
    pose: true,
  }),
  face: option(z.boolean().default(true), {
    group: 'Pose',
    description: 'Look for the 68 points of the face too',
    negative: 'Do not look for the points of the face',
    pose: true,
  }),
  subject: option(subject.default('auto'), {
    group: 'Pose',
    description:
      'Whom to follow where several people are seen: the most prominent, by size or place, or the Nth from the left',
    valuesText: '`auto`, `largest`, `left`, `right` or 1, 2, ...',
    placeholder: 'WHO',
    pose: true,
  }),
  smooth: option(share.default(0.5), {
    group: 'Pose',
    description: 'Strength of the zero-lag smoothing of the poses; 0 is none',
    aliases: ['smoothing'],
    placeholder: '0..1',
    pose: true,
  }),
  align: option(z.enum(['robust', 'reference', 'none']).default('robust'), {
    group: 'Pose',
    description: 'How the driving poses are fitted to the character: confidence-weighted, as published, or not at all',
  }),
  skeletonStyle: option(z.enum(skeletonStyles).default('published'), {
    group: 'Pose',
    description:
      'How poses are drawn for the control network, which must know the style: as published, or in solid lines that no small picture loses',
  }),
  // --- Size and sampling
  width: option(z.int().min(8).max(4096).nullable().default(null), {
    group: 'Size and sampling',
    description: "Width of the video in pixels, a multiple of the model's grid: 64 for SVD",
    short: '-W',
    defaultText: 'from the model and the picture',
    placeholder: 'PIXELS',
  }),
  height: option(z.int().min(8).max(4096).nullable().default(null), {
    group: 'Size and sampling',
    description: "Height of the video in pixels, a multiple of the model's grid: 64 for SVD",
    short: '-H',
    defaultText: 'from the model and the picture',
    placeholder: 'PIXELS',
  }),
  resample: option(z.enum(['antialiased', 'reference']).default('antialiased'), {
    group: 'Size and sampling',
    description: 'How the picture is brought to size; reference: as published, which aliases on large photos',
  }),
  steps: option(z.int().min(1).max(1000).nullable().default(null), {
    group: 'Size and sampling',
    description: 'Denoising steps',
    aliases: ['num_inference_steps', 'inference_steps'],
    defaultText: '25; 10 with --scheduler ays',
    placeholder: 'N',
  }),
  scheduler: option(z.enum(['karras', 'ays']).default('karras'), {
    group: 'Size and sampling',
    description: 'Noise schedule: Karras as published, or Align Your Steps, made for few steps',
    aliases: ['schedule'],
  }),
  guidanceScale: option(z.number().min(0).max(100).default(3), {
    group: 'Size and sampling',
    description: 'Classifier-free guidance at the end of the ramp; below 1 guidance is off, which halves the work',
    aliases: ['cfg', 'cfg_max', 'max_guidance_scale', 'guidance'],
    placeholder: 'X',
  }),
  guidanceScaleMin: option(z.number().min(0).max(100).nullable().default(null), {
    group: 'Size and sampling',
    description: 'Guidance at the start of the ramp',
    aliases: ['cfg_min', 'min_guidance_scale'],
    defaultText: 'as --guidance-scale: no ramp',
    placeholder: 'X',
  }),
  guidanceInterval: option(
    text
      .refine((value) => parseInterval(value) !== undefined)
      .nullable()
      .default(null),
    {
      group: 'Size and sampling',
      description:
        'Noise levels (sigma) above LO and up to HI at which guidance works; in the other steps it is off, which halves their work',
      aliases: ['cfg_interval'],
      defaultText: 'all levels',
      placeholder: 'LO..HI',
      valuesText: '`LO..HI`, e.g. 0.28..5.42; `LO..`, `..HI`',
    },
  ),
  guidanceIndex: option(z.enum(['local', 'global']).default('local'), {
    group: 'Size and sampling',
    description: 'Whether the ramp runs over each window, as published, or once over the clip',
  }),
  seed: option(z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null), {
    group: 'Size and sampling',
    description: 'Start of the random numbers; same seed and options, same video',
    aliases: ['generator_seed'],
    defaultText: 'random, always recorded in run.json',
    placeholder: 'N',
  }),
  // --- Windows
  chunk: option(z.int().min(1).max(1024).default(24), {
    group: 'Windows',
    description: 'Frames the network sees at once',
    aliases: ['batch_frames', 'context_length', 'context_size', 'frames_per_batch'],
    placeholder: 'FRAMES',
  }),
  overlap: option(z.int().min(0).max(1023).default(6), {
    group: 'Windows',
    description: 'Frames shared by neighbouring windows; less than the chunk',
    aliases: ['context_overlap', 'frames_overlap'],
    placeholder: 'FRAMES',
  }),
  fusion: option(z.enum(['flat', 'triangular', 'overlap-linear']).default('flat'), {
    group: 'Windows',
    description: 'Weight of the windows where they overlap; flat is as published',
    aliases: ['blend', 'fuse_method'],
    valueAliases: { reference: 'flat', pyramid: 'triangular', linear: 'overlap-linear' },
  }),
  anchor: option(z.enum(['reference', 'true']).default('reference'), {
    group: 'Windows',
    description:
      "First slot of later windows: that frame's latents shown the reference pose and then dropped, as published, or the true first frame",
  }),
  phaseRotation: option(z.boolean().default(false), {
    group: 'Windows',
    description: 'Shift the windows at every step, so that seams never lie on the same frame',
  }),
  noise: option(z.enum(['independent', 'shared', 'freenoise']).default('independent'), {
    group: 'Windows',
    description:
      'Start noise of each frame: its own, as published, one for all frames against flicker, or shuffled from the first window for long-range consistency',
  }),
  // --- Conditioning
  controlScale: option(z.number().min(0).max(10).default(1), {
    group: 'Conditioning',
    description: 'Strength of the pose control; 1 is as published',
    aliases: ['controlnext_cond_scale', 'conditioning_scale', 'controlnet_conditioning_scale'],
    placeholder: 'X',
  }),
  noiseAugStrength: option(z.number().min(0).max(10).default(0.02), {
    group: 'Conditioning',
    description:
      'Noise added to the picture before it is encoded; more moves more freely, less stays closer to the picture',
    aliases: ['noise_aug'],
    placeholder: 'X',
  }),
  timeIds: option(z.enum(['published', 'given']).default('published'), {
    group: 'Conditioning',
    description:
      'What the network is told of rate, motion and noise: always 6, 128 and 0.02 as published, or the given options',
    aliases: ['added_time_ids'],
  }),
  fpsId: option(z.int().min(1).max(255).default(7), {
    group: 'Conditioning',
    description: 'Frame rate the network is told with --time-ids given; not the playback rate',
    placeholder: 'N',
  }),
  motionBucketId: option(z.int().min(0).max(1023).default(127), {
    group: 'Conditioning',
    description: 'Amount of motion the network is told with --time-ids given',
    aliases: ['motion_bucket'],
    placeholder: 'N',
  }),
  // --- Decoding
  decodeMode: option(z.enum(['overlapped', 'reference']).default('overlapped'), {
    group: 'Decoding',
    description: 'Latents to frames: chunks that overlap and cross-fade, or separate chunks as published',
  }),
  decodeChunk: option(z.int().min(1).max(128).default(8), {
    group: 'Decoding',
    description: 'Frames decoded at once; fewer need less memory',
    aliases: ['decode_chunk_size'],
    placeholder: 'FRAMES',
  }),
  decodeOverlap: option(z.int().min(0).max(127).nullable().default(null), {
    group: 'Decoding',
    description: 'Frames shared by neighbouring decode chunks when they overlap',
    defaultText: '2, or less in smaller chunks',
    placeholder: 'FRAMES',
  }),
  decodeTile: option(z.union([z.enum(['auto', 'off']), z.int().min(64).max(8192).multipleOf(32)]).default('auto'), {
    group: 'Decoding',
    description:
      'Decode frames in overlapping tiles with sides of so many pixels, which shows a little; auto: when a single whole frame does not fit into the memory',
    aliases: ['vae_tile_size'],
    placeholder: 'PIXELS',
    valuesText: '`auto`, `off`, or a multiple of 32 from 64 to 8192',
  }),
  // --- Output
  output: option(folderOrFile, {
    group: 'Output',
    description: 'Run folder, or an .mp4 file: then the run folder lies beside it as FILE.run',
    short: '-o',
    aliases: ['out', 'output_dir'],
    defaultText: 'outputs/CLIP-TIME',
    placeholder: 'PATH',
    path: true,
    pose: true,
  }),
  keepReferenceFrame: option(z.boolean().default(false), {
    group: 'Output',
    description: "Keep the character's own pose as first frame of the video, as published",
  }),
  audio: option(z.boolean().default(true), {
    group: 'Output',
    description: "Carry the driving video's sound over",
    negative: "Leave the driving video's sound out",
  }),
  crf: option(z.int().min(0).max(51).default(18), {
    group: 'Output',
    description: 'H.264 quality: lower is better and larger',
    placeholder: '0..51',
    pose: true,
  }),
  // --- Machine
  provider: option(z.enum(['auto', 'cpu', 'cuda', 'webgpu']).default('auto'), {
    group: 'Machine',
    description:
      'What computes; auto takes CUDA where it works, else the CPU, and says which. A named one is never replaced',
    aliases: ['device', 'execution_provider'],
    pose: true,
  }),
  deviceId: option(z.int().min(0).max(255).default(0), {
    group: 'Machine',
    description: 'Which of several GPUs',
    aliases: ['gpu'],
    placeholder: 'N',
    pose: true,
  }),
  gpus: option(deviceList.nullable().default(null), {
    group: 'Machine',
    description: 'GPUs that take the windows of a clip in turns, or in a batch the clips; changes no picture',
    defaultText: 'that of --device-id',
    placeholder: 'IDS',
    valuesText: 'numbers, e.g. 0,1',
  }),
  threads: option(z.int().min(1).max(1024).nullable().default(null), {
    group: 'Machine',
    description: 'CPU threads for the networks',
    defaultText: 'one a core',
    placeholder: 'N',
    pose: true,
  }),
  precision: option(z.enum(['auto', 'fp16', 'fp32']).default('auto'), {
    group: 'Machine',
    description:
      'What the networks compute with: half floats (fp16) on CUDA, fp32 elsewhere (auto). A stage whose half floats overflow is done again in fp32. The VAE computes as its config asks',
    aliases: ['dtype', 'mixed_precision'],
  }),
  poseWorkers: option(z.int().min(1).max(64).nullable().default(null), {
    group: 'Machine',
    description: 'Threads in which MediaPipe looks for poses, about 0.4 GB of memory each; changes no pose',
    defaultText: 'one a core, as far as memory goes; half of that in a batch on a CPU',
    placeholder: 'N',
    pose: true,
  }),
  quantize: option(z.enum(['off', 'linear']).default('off'), {
    group: 'Machine',
    description:
      "Multiply 8-bit whole numbers in the denoiser's linear layers: faster on a CPU, and the picture changes a little. Not in low-memory residency, nor on a GPU",
  }),
  residency: option(z.enum(['auto', 'fast', 'low-memory']).default('auto'), {
    group: 'Machine',
    description: 'Weights on the CPU: prepared in memory (fast), read in place (low-memory), or by free memory (auto)',
  }),
  vram: option(z.union([z.literal('auto'), memorySize]).default('auto'), {
    group: 'Machine',
    description:
      'Memory that the networks may use, on a GPU or in the engine on a CPU; what does not fit is run in parts, as the plan says. auto: what is free, where that can be known',
    aliases: ['memory', 'max_memory'],
    placeholder: 'SIZE',
    valuesText: '`auto`, or a size such as 8g or 7500MB',
  }),
  splitGuidance: option(z.enum(['auto', 'on', 'off']).default('auto'), {
    group: 'Machine',
    description:
      'Run the two branches of guidance one after the other, which needs half the memory; auto: when they do not fit together',
    placeholder: 'WHEN',
  }),
  feedForwardParts: option(z.int().min(1).max(64).nullable().default(null), {
    group: 'Machine',
    description: 'Compute the feed-forward layers of the denoiser in this many parts; more need less memory',
    defaultText: '1; more when the memory is short',
    placeholder: 'N',
  }),
  attentionParts: option(z.int().min(1).max(1024).nullable().default(null), {
    group: 'Machine',
    description:
      'Compute the attention of the denoiser in this many parts where it is not one operator (WebGPU); more need less memory. Elsewhere it needs little, and this changes nothing',
    defaultText: '1; more when the memory is short',
    placeholder: 'N',
  }),
  windowsTogether: option(z.union([z.literal('auto'), z.int().min(1).max(16)]).default('auto'), {
    group: 'Machine',
    description:
      'Denoise so many windows in one call, which needs as many times the memory; auto: one on a CPU, where more save nothing, and up to 4 on a GPU that has twice the memory for it',
    placeholder: 'N',
    valuesText: '`auto`, or 1 to 16',
  }),
  ffmpeg: option(folderOrFile, {
    group: 'Machine',
    description: 'The ffmpeg program',
    aliases: ['ffmpeg_path'],
    defaultText: 'FFMPEG_PATH, then PATH, then the carried one',
    placeholder: 'FILE',
    path: true,
    pose: true,
  }),
  // --- Run
  resume: option(z.boolean().default(true), {
    group: 'Run',
    description: 'Reuse what an interrupted run with the same options has finished',
    negative: 'Do everything anew, even what an interrupted run has finished',
    pose: true,
  }),
  overwrite: option(z.boolean().default(false), {
    group: 'Run',
    description: 'Replace the results of another run in the same place',
    short: '-y',
    pose: true,
  }),
  keepIntermediate: option(z.boolean().default(false), {
    group: 'Run',
    description: 'Keep latents and other half-finished results in the run folder',
  }),
  preset: option(text.default('balanced'), {
    group: 'Run',
    description: 'Start from a named set of options, or from those in a YAML file',
    placeholder: 'NAME|FILE',
    valuesText: '`balanced`, `reference`, `fast` or a file',
    path: true,
    keywords: ['balanced', 'reference', 'fast'],
    pose: true,
  }),
});

export type OptionName = keyof typeof optionsSchema.shape;
export const optionNames = Object.keys(optionsSchema.shape) as readonly OptionName[];

/** Options as a library user writes them: everything may be left out. Resolve them with `resolveOptions`. */
export type AnimateInput = z.input<typeof optionsSchema>;

type Decided = z.output<typeof optionsSchema>;

/** Options after resolution: every default filled in. What is still `null` is decided by the plan from the inputs. */
export type AnimateOptions = Readonly<
  Omit<Decided, 'stride' | 'steps' | 'guidanceScaleMin' | 'decodeOverlap'> & {
    stride: number;
    steps: number;
    guidanceScaleMin: number;
    decodeOverlap: number;
    /** Whether somebody chose the windows: defaults and a model's card do not, and what they say gives way to a short memory. */
    named: { readonly chunk: boolean; readonly overlap: boolean };
  }
>;
