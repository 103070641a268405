import type {
  HandLandmarker,
  HandLandmarkerOptions,
  ImageEmbedder,
  ImageEmbedderOptions,
  PoseLandmarker,
  PoseLandmarkerOptions,
} from '@mediapipe/tasks-vision';

/** A picture as MediaPipe takes it here: tight RGBA, alpha ignored. */
export type RgbaImage = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** The MediaPipe tasks, which take an {@link RgbaImage} wherever their types say `ImageSource`. */
export type MediaPipe = {
  createPoseLandmarker(options: PoseLandmarkerOptions): Promise<PoseLandmarker>;
  createHandLandmarker(options: HandLandmarkerOptions): Promise<HandLandmarker>;
  createImageEmbedder(options: ImageEmbedderOptions): Promise<ImageEmbedder>;
  /** The last lines MediaPipe logged, for error messages. */
  recentLog(): readonly string[];
};

/** The emscripten module options that matter here. */
type ModuleOptions = { print?: (line: string) => void; printErr?: (line: string) => void };
type ModuleFactory = (options: ModuleOptions) => Promise<unknown>;

const keptLogLines = 20;

/**
 * Loads `@mediapipe/tasks-vision` without a browser. It changes globals of the thread it runs in, so call it in a worker
 * thread of its own, once.
 *
 * The package wants: `importScripts` and `ModuleFactory` to load its WebAssembly, a canvas whose WebGL only ever copies a
 * texture into the module's memory (the CPU delegate draws nothing), and nothing else. What it would do on its own and must
 * not: post usage statistics (so `fetch` is refused), keep the process alive by a timer, write to stdout and stderr.
 */
export async function loadMediaPipe(): Promise<MediaPipe> {
  const log: string[] = [];
  const record = (...words: unknown[]) => {
    log.push(words.join(' '));
    if (log.length > keptLogLines) log.shift();
  };

  const setTimer = globalThis.setInterval;
  Object.assign(globalThis, {
    self: globalThis,
    importScripts: () => {},
    fetch: () => Promise.reject(new Error('No network here')),
    setInterval: (...args: Parameters<typeof setInterval>) => setTimer(...args).unref(),
  });

  const loader = import.meta.resolve('@mediapipe/tasks-vision/vision_wasm_module_internal.js');
  const { default: factory } = (await import(loader)) as { default: ModuleFactory };
  Object.assign(globalThis, { custom_dbg: record }); // set by the import above: warnings of the native code
  Object.defineProperty(globalThis, 'ModuleFactory', {
    get: () => (options: ModuleOptions) => factory({ ...options, print: record, printErr: record }),
    set: () => {}, // the package clears it after each use
  });

  const vision = await import('@mediapipe/tasks-vision');
  const fileset = {
    wasmLoaderPath: loader,
    wasmBinaryPath: import.meta.resolve('@mediapipe/tasks-vision/vision_wasm_module_internal.wasm'),
  };
  // A canvas for each task: textures are bound per context.
  const withCanvas = <T extends object>(options: T) => ({ ...options, canvas: copyOnlyCanvas() as never });
  return {
    createPoseLandmarker: (options) => vision.PoseLandmarker.createFromOptions(fileset, withCanvas(options)),
    createHandLandmarker: (options) => vision.HandLandmarker.createFromOptions(fileset, withCanvas(options)),
    createImageEmbedder: (options) => vision.ImageEmbedder.createFromOptions(fileset, withCanvas(options)),
    recentLog: () => log,
  };
}

/** The few WebGL 2 calls by which a picture reaches the CPU delegate: into a texture, out through `readPixels`. */
function copyOnlyCanvas(): object {
  type Texture = { image?: RgbaImage };
  let bound: Texture | null = null;
  let attached: Texture | null = null;
  const constants = {
    TEXTURE_2D: 0x0de1,
    RGBA: 0x1908,
    UNSIGNED_BYTE: 0x1401,
    FRAMEBUFFER: 0x8d40,
    COLOR_ATTACHMENT0: 0x8ce0,
    MAX_VERTEX_ATTRIBS: 0x8869,
    VERSION: 0x1f02,
    RENDERER: 0x1f01,
  };
  const gl: Record<string, unknown> = {
    ...constants,
    getExtension: () => null,
    getSupportedExtensions: () => [],
    getContextAttributes: () => ({}),
    getError: () => 0,
    getParameter(name: number) {
      if (name === constants.MAX_VERTEX_ATTRIBS) return 16;
      if (name === constants.VERSION) return 'WebGL 2.0';
      if (name === constants.RENDERER) return 'copy only';
      throw new Error(`unexpected getParameter(0x${name.toString(16)})`);
    },
    createTexture: (): Texture => ({}),
    bindTexture(_target: number, texture: Texture | null) {
      bound = texture;
    },
    texImage2D(...args: unknown[]) {
      const image = args[5] as RgbaImage;
      if (!bound || args.length !== 6) throw new Error('unexpected texImage2D');
      bound.image = image;
    },
    framebufferTexture2D(...args: unknown[]) {
      attached = args[3] as Texture | null;
    },
    readPixels(...args: unknown[]) {
      const [x, y, width, height, , , target, offset] = args as [...number[], Uint8Array, number];
      const image = attached?.image;
      if (!image || x !== 0 || y !== 0 || width !== image.width || height !== image.height)
        throw new Error('unexpected readPixels');
      (target as Uint8Array).set(image.data, offset as number);
    },
    createFramebuffer: () => ({}),
    fenceSync: () => ({}),
  };
  const nothing = [
    ...['activeTexture', 'texParameteri', 'bindFramebuffer', 'deleteSync', 'deleteFramebuffer', 'deleteTexture'],
    ...['pixelStorei', 'flush', 'finish'],
  ];
  for (const name of nothing) gl[name] = () => {};
  return {
    width: 1,
    height: 1,
    // Keeps emscripten from wrapping getContext, for which it would want a browser's global.
    getContextSafariWebGL2Fixed: true,
    getContext: () => gl,
    addEventListener: () => {},
    removeEventListener: () => {},
  };
}
