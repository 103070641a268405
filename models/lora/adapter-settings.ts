/** What diffusers writes into the header of a LoRA file of what PEFT was told; absent in older files and other layouts. */
const key = 'lora_adapter_metadata';

/** Settings that change the scale of single layers, or what is computed. */
const unsupported = ['unet.alpha_pattern', 'unet.use_rslora', 'unet.use_dora'];

export type AdapterSettings = {
  /** Of layers that have none of their own. */
  readonly alpha: number | undefined;
  /** Settings that are not supported and not at rest. */
  readonly unsupported: readonly string[];
};

/** Reads the settings; none when there is no such text, or it is no JSON object. */
export function adapterSettings(metadata: ReadonlyMap<string, string> = new Map()): AdapterSettings {
  const settings = parseRecord(metadata.get(key) ?? '{}');
  const alpha = settings['unet.lora_alpha'];
  return {
    alpha: typeof alpha === 'number' && Number.isFinite(alpha) ? alpha : undefined,
    unsupported: unsupported.filter((name) => !isAtRest(settings[name])),
  };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Not given, off, or empty. */
function isAtRest(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
