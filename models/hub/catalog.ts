import type { LicenceName } from './licences.js';

/** A repository of the Hugging Face Hub. */
export type Repository = {
  /** `owner/name`. */
  readonly id: string;
  /** The commit that is downloaded; undefined where none is known: then the newest is, and which one is recorded. */
  readonly revision: string | undefined;
  readonly licence: LicenceName;
  /** Whether an account has to accept the licence on the page first. */
  readonly gated: boolean;
};

/** A file of a model: where it comes from, and where it lies in the model's folder. */
export type CatalogFile = {
  readonly repository: RepositoryName;
  readonly path: string;
  readonly as: string;
  /** Exact; undefined where nobody has said. */
  readonly sizeBytes?: number;
  /** For totals, where the size is not known. */
  readonly aboutBytes?: number;
  /** Undefined where nobody has said: then the file is checked against what the server says of it before it is sent. */
  readonly sha256?: string;
};

export type CatalogModel = {
  readonly name: string;
  readonly title: string;
  /** The option it is for. */
  readonly use: '--model' | '--controlnext' | '--overlay' | '--pose-backend dwpose';
  readonly files: readonly CatalogFile[];
};

export type RepositoryName = 'svd' | 'controlnext' | 'controlnext-fp16' | 'dwpose';

export const repositories: Readonly<Record<RepositoryName, Repository>> = {
  svd: {
    id: 'stabilityai/stable-video-diffusion-img2vid-xt-1-1',
    revision: '043843887ccd51926e3efed36270444a838e7861',
    licence: 'svd-xt-1.1',
    gated: true,
  },
  controlnext: { id: 'Pbihao/ControlNeXt', revision: undefined, licence: 'controlnext', gated: false },
  'controlnext-fp16': {
    id: 'Kijai/ControlNeXt-SVD-V2-Comfy',
    revision: undefined,
    licence: 'controlnext-fp16',
    gated: false,
  },
  dwpose: {
    id: 'yzd-v/DWPose',
    revision: '1a7144101628d69ee7a3768d1ee3a094070dc388',
    licence: 'apache-2.0',
    gated: false,
  },
};

const svdConfigs: readonly CatalogFile[] = [
  'model_index.json',
  'feature_extractor/preprocessor_config.json',
  'image_encoder/config.json',
  'scheduler/scheduler_config.json',
  'unet/config.json',
  'vae/config.json',
].map((path) => ({ repository: 'svd', path, as: path, aboutBytes: 1_000 }));

type Weights = Pick<CatalogFile, 'sizeBytes' | 'aboutBytes' | 'sha256'>;
const svd = (path: string, weights: Weights): CatalogFile => ({ repository: 'svd', path, as: path, ...weights });

const svdFp16 = [
  svd('image_encoder/model.fp16.safetensors', {
    sizeBytes: 1_264_217_240,
    sha256: 'ae616c24393dd1854372b0639e5541666f7521cbe219669255e865cb7f89466a',
  }),
  svd('vae/diffusion_pytorch_model.fp16.safetensors', { aboutBytes: 196_000_000 }),
];
const svdFp32 = [
  svd('image_encoder/model.safetensors', { aboutBytes: 2_530_000_000 }),
  svd('vae/diffusion_pytorch_model.safetensors', { aboutBytes: 391_000_000 }),
];

const unetFp16: CatalogFile = {
  repository: 'controlnext-fp16',
  path: 'controlnext-svd_v2-unet-fp16.safetensors',
  as: 'unet/diffusion_pytorch_model.fp16.safetensors',
  sizeBytes: 3_049_435_868,
  sha256: 'ef6570ba0407e760e2821149fe28d2af81703a36d1c769ee4d88fd369ea18d9a',
};
const controlFp16: CatalogFile = {
  repository: 'controlnext-fp16',
  path: 'controlnext-svd_v2-controlnet-fp16.safetensors',
  as: 'controlnext.safetensors',
  sizeBytes: 7_057_480,
  sha256: '2716ffab5fe4a4c2f088bdfa2bab0c4596f57c773a7cbb458f3a5bbd0d2545f4',
};

/**
 * What `pantomime models pull` knows by name. Sizes and hashes are as published; ControlNeXt's UNet takes the place of Stable
 * Video Diffusion's, which is then not downloaded at all.
 */
export const catalog: readonly CatalogModel[] = [
  {
    name: 'svd-xt-1.1-controlnext-v2',
    title: 'Stable Video Diffusion XT 1.1 with the UNet and pose control of ControlNeXt-SVD v2, fp16',
    use: '--model',
    files: [...svdConfigs, ...svdFp16, unetFp16, controlFp16],
  },
  {
    name: 'svd-xt-1.1-controlnext-v2-fp32',
    title: 'the same as published: fp32, ControlNeXt as PyTorch .bin files',
    use: '--model',
    files: [
      ...svdConfigs,
      ...svdFp32,
      {
        repository: 'controlnext',
        path: 'ControlNeXt-SVD/v2/unet.bin',
        as: 'unet/diffusion_pytorch_model.bin',
        aboutBytes: 6_100_000_000,
        sha256: 'e32948c7a02516705df5c3bb5f4d852200f15a08d5a3335304d66fe8cda351df',
      },
      {
        repository: 'controlnext',
        path: 'ControlNeXt-SVD/v2/controlnet.bin',
        as: 'controlnext.bin',
        sizeBytes: 14_122_234,
        sha256: '2a60c6e9cfde16adb1d2bf41b8a19a4929b0ba5b206d8bdf7125329c2a684b7c',
      },
    ],
  },
  {
    name: 'svd-xt-1.1',
    title: 'Stable Video Diffusion XT 1.1 alone, fp16, without pose control',
    use: '--model',
    files: [
      ...svdConfigs,
      ...svdFp16,
      svd('unet/diffusion_pytorch_model.fp16.safetensors', { aboutBytes: 3_050_000_000 }),
    ],
  },
  {
    name: 'svd-xt-1.1-fp32',
    title: 'Stable Video Diffusion XT 1.1 alone, fp32, without pose control',
    use: '--model',
    files: [...svdConfigs, ...svdFp32, svd('unet/diffusion_pytorch_model.safetensors', { sizeBytes: 6_098_682_464 })],
  },
  {
    name: 'controlnext-svd-v2',
    title: 'the pose control network of ControlNeXt-SVD v2 alone, fp16',
    use: '--controlnext',
    files: [controlFp16],
  },
  {
    name: 'controlnext-svd-v2-unet',
    title: 'the UNet of ControlNeXt-SVD v2 alone, fp16',
    use: '--overlay',
    files: [{ ...unetFp16, as: 'unet_overlay.fp16.safetensors' }],
  },
  {
    name: 'dwpose',
    title: 'DWPose: YOLOX finds people, RTMPose their body, hands and face',
    use: '--pose-backend dwpose',
    files: [
      {
        repository: 'dwpose',
        path: 'yolox_l.onnx',
        as: 'yolox_l.onnx',
        sizeBytes: 216_746_733,
        sha256: '7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411',
      },
      {
        repository: 'dwpose',
        path: 'dw-ll_ucoco_384.onnx',
        as: 'dw-ll_ucoco_384.onnx',
        sizeBytes: 134_399_116,
        sha256: '724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843',
      },
    ],
  },
];

export function catalogModel(name: string): CatalogModel | undefined {
  return catalog.find((model) => model.name === name);
}
