import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRunReport } from '#dist/pipeline/run-report/write-run-report.js';

const evil = `"'><img src=x onerror=alert(1)></title><script>alert(2)</script>\u202e&`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-report-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lane = (...spans: [string, number, number][]) => ({
  spans: spans.map(([name, start, end]) => [name, start, end, end - start, 1]),
  totals: Object.fromEntries(
    spans.map(([name, start, end]) => [
      name,
      { count: 1, busyMs: end - start, leastMs: end - start, mostMs: end - start },
    ]),
  ),
});

const record = {
  ...{ pantomime: '0.1.0', frames: 20, size: { width: 128, height: 192 }, windows: [0, 8] },
  ...{ device: { provider: 'cpu', residency: 'fast' }, options: { model: 'embedded', steps: 2, chunk: 8, overlap: 2 } },
  outputs: { video: '/elsewhere/output.mp4' },
};
const timings = {
  ...{ seconds: 12, framesPerSec: 20 / 12 },
  stages: [
    { stage: 'pose', startMs: 0, ms: 4000, reused: false },
    { stage: 'denoise', startMs: 4000, ms: 5000, reused: false },
    { stage: 'encode', startMs: 4500, ms: 1000, reused: false },
    { stage: 'decode', startMs: 9000, ms: 3000, reused: false },
  ],
  ...{ engine: { rssBytes: 1, peakRssBytes: 8e8 }, process: { peakRssBytes: 5e8 } },
  plan: { forwards: 4, multiplyAdds: 14e12, memoryBytes: 7e8, weightBytes: 2e7 },
  timeline: {
    read: [lane(['driving video', 0, 100])],
    pose: [lane(['poses', 100, 3900]), lane(['poses', 120, 3800])],
    draw: [lane(['skeletons', 3900, 4000])],
    engine: [lane(['load unet-step', 1000, 2000], ['unet-step', 4000, 9000], ['vae-decode', 9500, 11500])],
    step: [lane(['step', 4000, 9000])],
    encode: [lane(['result', 10000, 12000])],
  },
};

async function runFolder(name: string, files: Record<string, unknown>): Promise<string> {
  const dir = join(folder, name);
  await mkdir(dir, { recursive: true });
  for (const [file, content] of Object.entries(files))
    await writeFile(join(dir, file), typeof content === 'string' ? content : JSON.stringify(content));
  return dir;
}

describe('report of a run', () => {
  it('draws a row for each who works, and tells where the time went', async () => {
    const dir = await runFolder('whole', { 'run.json': record, 'timings.json': timings, 'output.mp4': '' });
    const { file, figures } = await writeRunReport(dir);
    expect(file).toBe(join(dir, 'report.html'));
    expect((await readdir(dir)).sort()).toEqual(['output.mp4', 'report.html', 'run.json', 'timings.json']);
    // From 1000 to 11500 ms, of which 7000 computing and 1000 preparing.
    expect(figures.engine).toMatchObject({ computingSeconds: 7, preparingSeconds: 1, idleSeconds: 2.5 });
    expect(figures.engine?.idleShare).toBeCloseTo(2.5 / 10.5, 10);
    expect(figures.stages.map(({ stage, engine }) => [stage, engine?.idleSeconds])).toEqual([
      ['pose', 3],
      ['denoise', 0],
      ['encode', 0],
      ['decode', 1],
    ]);
    expect(figures).toMatchObject({ stepSeconds: [5], window: { count: 1, seconds: 5 }, plan: { forwards: 4 } });
    expect(figures.work.find(({ row }) => row === 'pose')).toMatchObject({ workers: 2, count: 2, seconds: 7.48 });

    const page = await readFile(file, 'utf8');
    const svg = /<svg class="timeline"[\s\S]*?<\/svg>/.exec(page)?.[0] ?? '';
    expect([...svg.matchAll(/<g class="row"><text[^>]*>([^<]+)</g)].map(([, title]) => title)).toEqual([
      ...['Stages', 'Video decoding', 'Poses', 'Drawing', 'Engine', 'VAE decoding', 'Video encoding'],
    ]);
    expect(svg).toContain('<title>unet-step, 5.00 s from 4.00 s</title>');
    // `encode` overlaps `denoise`, so it has a lane of its own below.
    const y = (name: string) => new RegExp(`y="([\\d.]+)"[^>]*><title>${name},`).exec(svg)?.[1];
    expect(Number(y('encode'))).toBeGreaterThan(Number(y('denoise')));
    expect(page).toMatch(/idle <b>23\.8 %<\/b> 2\.50 s/);
    expect(page).toContain('<dt>engine memory, as planned</dt><dd>700 MB</dd>');
    expect(page).toContain('<dt>multiply-adds a second of computing</dt><dd>2000.0 G</dd>');
    expect(page).toContain('<a href="output.mp4">video</a>');
    expect(page).not.toContain('comparison.mp4');
  });

  it('asks nothing of a network and runs nothing', async () => {
    const page = await readFile(join(folder, 'whole', 'report.html'), 'utf8');
    expect(page).toMatch(/content="default-src 'none'; style-src 'sha256-[^']+'; img-src 'self' file:; base-uri/);
    expect(page).not.toMatch(/<script|https?:|style="/);
  });

  it('can lie elsewhere, with links that lead back', async () => {
    const dir = await runFolder('a b', { 'run.json': record, 'timings.json': timings, 'contact-sheet.png': '' });
    const { file } = await writeRunReport(dir, join(folder, 'other.html'));
    const page = await readFile(file, 'utf8');
    expect(page).toContain('<img src="a%20b/contact-sheet.png"');
    await expect(writeRunReport(dir, join(folder, 'nowhere', 'r.html'))).rejects.toMatchObject({
      code: 'output.not-writable',
    });
  });

  it('shows foreign text as text, and follows no path of the record', async () => {
    const strange = {
      ...record,
      pantomime: evil,
      options: { ...record.options, model: evil },
      outputs: { video: '../../../etc/passwd' },
    };
    const stages = [{ stage: evil, startMs: 0, ms: 9000, reused: true }];
    const timeline = { engine: [lane([evil.slice(0, 90), 0, 5])] };
    const dir = await runFolder('strange', { 'run.json': strange, 'timings.json': { ...timings, stages, timeline } });
    const { file } = await writeRunReport(dir);
    const page = await readFile(file, 'utf8');
    expect(page).not.toMatch(/<img src=x|<script|\u202e/);
    expect(page).toContain('&lt;img src=x');
    expect(page).not.toContain('passwd');
  });

  it('of an older run shows what there is', async () => {
    const { timeline: _, plan: __, ...old } = timings;
    const stages = old.stages.map(({ startMs: _, ...stage }) => stage);
    const dir = await runFolder('old', { 'run.json': record, 'timings.json': { ...old, stages } });
    const { file, figures } = await writeRunReport(dir);
    expect(figures).toMatchObject({ engine: undefined, stepSeconds: [], work: [] });
    const page = await readFile(file, 'utf8');
    expect(page).toContain('No time line was recorded');
    expect(page).toContain('<td>denoise</td>');
  });
});

describe('what is no finished run', () => {
  it('is told apart: no run, not finished, damaged', async () => {
    const refused = (dir: string) => writeRunReport(dir).catch((error: unknown) => error);
    expect(await refused(join(folder, 'missing'))).toMatchObject({ code: 'report.no-run', kind: 'input' });
    expect(await refused(await runFolder('empty', {}))).toMatchObject({ code: 'report.no-run' });

    const begun = await runFolder('begun/work', {
      ...{ 'begun.json': {}, 'pose-1.json': '', 'control-1.u8': '', 'latents-1.safetensors': '' },
    });
    expect(await refused(join(begun, '..'))).toMatchObject({
      ...{ code: 'report.unfinished', kind: 'input' },
      details: { got: 'poses, control pictures, latents of some steps' },
    });

    const many = { ...timings, timeline: { engine: [{ spans: Array(2000).fill(['x', 0, 1, 1, 1]), totals: {} }] } };
    const wrong = [{ ...timings, seconds: 'long' }, 'no JSON', { ...timings, timeline: { engine: [3] } }, many];
    for (const [i, one] of wrong.entries()) {
      const dir = await runFolder(`damaged-${i}`, { 'run.json': record, 'timings.json': one });
      expect(await refused(dir)).toMatchObject({ code: 'report.damaged', kind: 'input' });
      expect(await readdir(dir)).not.toContain('report.html');
    }
  });
});
