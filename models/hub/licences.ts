/** A licence in plain words. The words are a help, not advice: what binds is the text behind the link. */
export type Licence = {
  readonly title: string;
  readonly url: string;
  /** What it means for whoever uses the files, a sentence each. */
  readonly meaning: readonly string[];
  /** Whether it has to be accepted in so many words before anything is downloaded. */
  readonly ask: boolean;
};

export type LicenceName = 'svd-xt-1.1' | 'controlnext' | 'controlnext-fp16' | 'apache-2.0';

const svdPage = 'https://huggingface.co/stabilityai/stable-video-diffusion-img2vid-xt-1-1';

export const licences: Readonly<Record<LicenceName, Licence>> = {
  'svd-xt-1.1': {
    title: 'Stable Video Diffusion 1.1 community licence, non-commercial (stable-video-diffusion-1-1-nc-community)',
    url: svdPage,
    meaning: [
      'Not for commercial use. What you may do beyond research and private use is said in its text: read it.',
      'The repository is gated: a Hugging Face account has to accept the licence on its page before files can be downloaded.',
      'Models made from it, and changed copies of it, carry the same terms.',
    ],
    ask: true,
  },
  controlnext: {
    title: 'Apache-2.0 by its tag; its UNet is fine-tuned from Stable Video Diffusion',
    url: 'https://huggingface.co/Pbihao/ControlNeXt',
    meaning: [
      'The control network may be used as Apache-2.0 allows.',
      'A tag cannot lift the terms of what a model was made from: treat the UNet as non-commercial, as Stable Video Diffusion is.',
    ],
    ask: true,
  },
  'controlnext-fp16': {
    title: 'no licence is named; a conversion of ControlNeXt-SVD v2 to fp16',
    url: 'https://huggingface.co/Kijai/ControlNeXt-SVD-V2-Comfy',
    meaning: [
      'The page names no licence. The weights are those of ControlNeXt-SVD v2, so at least the same terms apply.',
      'Treat the UNet as non-commercial, as Stable Video Diffusion, which it was fine-tuned from, is.',
    ],
    ask: true,
  },
  'apache-2.0': {
    title: 'Apache-2.0',
    url: 'https://www.apache.org/licenses/LICENSE-2.0',
    meaning: ['Free to use, also commercially; keep the notices.'],
    ask: false,
  },
};

/** Licence tags of the Hub that need no question. */
export const openLicenceTags: ReadonlySet<string> = new Set([
  'apache-2.0',
  'mit',
  'bsd-2-clause',
  'bsd-3-clause',
  'cc0-1.0',
]);
