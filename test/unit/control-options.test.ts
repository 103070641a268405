import { describe, expect, it, test } from 'vitest';
import { rowsFromJson } from '#dist/pipeline/batch/manifest-json.js';
import { rowsFromYaml } from '#dist/pipeline/batch/manifest-yaml.js';
import { groupSteps, worksAt } from '#dist/pipeline/controls.js';
import { mapControlPath, parseControl } from '#dist/pipeline/options/control-value.js';
import { layerFromFlags, layerFromSettings, type makeLayer } from '#dist/pipeline/options/layer.js';
import { mapLoraPath, parseLora } from '#dist/pipeline/options/lora-value.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';
import type { AnimateInput } from '#dist/pipeline/options/schema.js';
import { layerFromYaml } from '#dist/pipeline/options/yaml-layer.js';

describe('a LoRA', () => {
  it.each([
    ['a.safetensors', 'a.safetensors', 1],
    ['a.safetensors:0.8', 'a.safetensors', 0.8],
    ['a.safetensors:-1.5', 'a.safetensors', -1.5],
    ['a.safetensors:0', 'a.safetensors', 0],
    ['a:.5', 'a', 0.5],
    ['a:1e-2', 'a', 0.01],
    ['C:\\loras\\a.safetensors', 'C:\\loras\\a.safetensors', 1],
    ['C:\\loras\\a.safetensors:2', 'C:\\loras\\a.safetensors', 2],
    ['a:2:1', 'a:2', 1],
    ['a:much', 'a:much', 1],
  ])('%s', (value, file, scale) => expect(parseLora(value)).toEqual({ file, scale }));
  it.each(['', ':1', 'a:1000'])('%j is none', (value) => expect(parseLora(value)).toBeUndefined());
  test('its path alone is changed', () => expect(mapLoraPath('a:0.50', (path) => `/x/${path}`)).toBe('/x/a:0.50'));
});

describe('a control', () => {
  it.each([
    ['pose=a', { name: 'pose', file: 'a', scale: 1, start: 0, end: 1 }],
    ['pose=auto:0.5@0-0.6', { name: 'pose', file: 'auto', scale: 0.5, start: 0, end: 0.6 }],
    ['depth=a@b.safetensors:2@.25-1', { name: 'depth', file: 'a@b.safetensors', scale: 2, start: 0.25, end: 1 }],
    ['depth=a=b@0.5-0.75', { name: 'depth', file: 'a=b', scale: 1, start: 0.5, end: 0.75 }],
    ['pose-2=C:\\a:0', { name: 'pose-2', file: 'C:\\a', scale: 0, start: 0, end: 1 }],
  ])('%s', (value, choice) => expect(parseControl(value)).toEqual(choice));
  it.each([
    'a',
    '=a',
    'pose=',
    'Pose=a',
    '../x=a',
    'depth=auto',
    'pose=a:-1',
    'pose=a:11',
    'pose=a@0.5-0.5',
    'pose=a@0-1.5',
  ])('%j is none', (value) => expect(parseControl(value)).toBeUndefined());
  test('its path alone is changed', () => {
    const change = (path: string) => `/x/${path}`;
    expect(mapControlPath('depth=a:0.5@0-1', change)).toBe('depth=/x/a:0.5@0-1');
    expect(mapControlPath('pose=auto:0.5', change)).toBe('pose=auto:0.5');
  });
});

describe('steps', () => {
  const working = (start: number, end: number, steps: number) =>
    Array.from({ length: steps }, (_, step) => step).filter((step) => worksAt({ start, end }, step, steps));
  it.each([
    [0, 1, 3, [0, 1, 2]],
    [0.5, 1, 4, [2, 3]],
    [0, 0.3, 10, [0, 1, 2]],
    [0.7, 1, 10, [7, 8, 9]],
    [0.4, 0.6, 5, [2]],
    [0.1, 0.2, 4, []],
  ])('from %d to %d of %d', (start, end, steps, expected) => expect(working(start, end, steps)).toEqual(expected));
  test('are counted by the controls that work in them', () => {
    const [first, last] = [
      { start: 0, end: 0.6 },
      { start: 0.4, end: 1 },
    ];
    const unguided = Array<boolean>(5).fill(false);
    expect(groupSteps([first, last], unguided)).toEqual([
      { working: [first], guided: false, count: 2 },
      { working: [first, last], guided: false, count: 1 },
      { working: [last], guided: false, count: 2 },
    ]);
    expect(groupSteps([], unguided)).toEqual([{ working: [], guided: false, count: 5 }]);
  });
  test('and by whether they are guided', () => {
    const first = { start: 0, end: 0.4 };
    expect(groupSteps([first], [false, true, true, true, false])).toEqual([
      { working: [first], guided: false, count: 1 },
      { working: [first], guided: true, count: 1 },
      { working: [], guided: true, count: 2 },
      { working: [], guided: false, count: 1 },
    ]);
  });
});

describe('several values of one option', () => {
  const values = (layer: ReturnType<typeof makeLayer>) => {
    expect(layer.problems).toEqual([]);
    return layer.entries.get('lora')?.value;
  };
  test('flags, settings, YAML, cells', () => {
    expect(values(layerFromFlags({ lora: ['a:0.5', 'b'] }))).toEqual(['a:0.5', 'b']);
    expect(values(layerFromSettings(['lora=a:0.5 | b']))).toEqual(['a:0.5', 'b']);
    expect(values(layerFromYaml('lora: [a:0.5, b]', 'x', '/base'))).toEqual(['/base/a:0.5', '/base/b']);
    expect(values(layerFromYaml('lora: a:0.5', 'x', '/base'))).toEqual(['/base/a:0.5']);
  });
  test('rows of manifests', () => {
    for (const { rows, problems } of [
      rowsFromJson('[{"video": "v.mp4", "lora": ["a", "b:2"], "seed": 1}]', 'x'),
      rowsFromYaml('- {video: v.mp4, lora: [a, b:2], seed: 1}', 'x'),
    ]) {
      expect(problems).toEqual([]);
      expect(rows[0]?.problems).toEqual([]);
      expect(rows[0]?.written.map(({ name, value }) => [name, value])).toEqual([
        ['video', 'v.mp4'],
        ['lora', ['a', 'b:2']],
        ['seed', 1],
      ]);
    }
  });
  test('only where an option takes them', () => {
    expect(layerFromYaml('seed: [1, 2]', 'x', '/').problems).toMatchObject([{ code: 'config.value' }]);
    expect(rowsFromJson('[{"seed": [1, 2]}]', 'x').rows[0]?.problems).toHaveLength(1);
    expect(rowsFromYaml('- {seed: [1, 2]}', 'x').rows[0]?.problems).toHaveLength(1);
  });
});

describe('options that do not go together', () => {
  const resolve = (options: AnimateInput) => optionsFrom({ image: 'a.png', video: 'a.mp4', ...options });
  const codeOf = (options: AnimateInput) => {
    try {
      resolve(options);
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const depth = { control: ['depth=d:0.5'], controlPictures: ['depth=d.mp4'] };
  it.each<[AnimateInput, string | undefined]>([
    [{}, undefined],
    [depth, undefined],
    [{ control: ['pose=a', 'pose-hands=b'] }, undefined],
    [{ ...depth, controlScale: 0.5 }, undefined],
    [{ control: ['depth=d'] }, 'options.control-pictures'],
    [{ controlPictures: ['depth=d.mp4'] }, 'options.control-pictures'],
    [{ control: ['pose=a'], controlPictures: ['pose=d.mp4'] }, 'options.control-pictures'],
    [{ control: ['pose=a', 'pose=b'] }, 'options.repeated'],
    [{ control: ['pose=a'], controlScale: 0.5 }, 'options.control-scale'],
    [{ control: ['nothing'] }, 'options.value'],
    [{ lora: ['a:1000'] }, 'options.value'],
    [{ lora: Array(17).fill('a') }, 'options.value'],
  ])('%j: %s', (options, code) => expect(codeOf(options)).toBe(code));
});
