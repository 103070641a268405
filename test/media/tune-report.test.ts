import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsOf } from '#dist/pipeline/tune/report/columns.js';
import { formatMetric } from '#dist/pipeline/tune/report/format-metric.js';
import type { Cell, CellRun } from '#dist/pipeline/tune/types.js';
import { findChromium, startChromium } from '../support/chromium.js';
import { madeUpSweep } from '../support/made-up-sweep.js';
import { readIndex } from './coded-frame.js';
import { makeSweepFolder } from './sweep-folder.js';
import { makeFolder, removeFolder } from './toolsets.js';

const chromium = await findChromium();
/** Where pictures of the page are left for people, when asked for. */
const pictures = process.env.PANTOMIME_SCREENSHOTS;
const title = 'report of a sweep in a browser';

const result = madeUpSweep({ chunks: [8, 16, 24], overlaps: [0, 2, 4, 8], seeds: [1, 2] });
const { framesPerSec, frames } = result;
const indexOf = (cell: Cell) => result.cells.indexOf(cell);
const best = result.cells.find(({ id }) => id === result.recommendation?.cell) as Cell;
const fastest = [...result.cells]
  .filter((cell) => cell.runs.length > 0 && cell !== best)
  .sort((a, b) => (a.values.secondsPerFrame?.mean ?? 0) - (b.values.secondsPerFrame?.mean ?? 0))[0] as Cell;
/** Its video does not lie beside the page. */
const lost = result.cells.findLast((cell) => cell.runs.length > 0 && cell !== best && cell !== fastest) as Cell;

describe.skipIf(!chromium)(chromium ? title : `${title} (skipped, there is no Chromium: CHROMIUM_PATH)`, () => {
  let folder = '';
  let file = '';
  let browser: Browser;
  beforeAll(async () => {
    folder = await makeFolder();
    file = await makeSweepFolder(folder, result);
    await rm(join(folder, (lost.runs[0] as CellRun).video));
    browser = await startChromium(chromium as string);
    if (pictures) await mkdir(pictures, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await removeFolder(folder);
  });

  /** Opens the page, hands it over, and checks that it asked nothing of a network and complained of nothing. */
  async function withPage(
    options: BrowserContextOptions,
    use: (page: Page) => Promise<void>,
    expected: readonly string[] = [],
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const complaints: string[] = [];
    const requests: string[] = [];
    context.on('request', (request) => requests.push(request.url()));
    const page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(pathToFileURL(file).href);
    await use(page);
    await context.close();
    for (const url of requests) expect(url.startsWith(pathToFileURL(`${folder}/`).href)).toBe(true);
    expect(complaints).toEqual(expected);
  }

  it('shows the right numbers in every map', () =>
    withPage({}, async (page) => {
      for (const column of columnsOf(result)) {
        const rows = await page.locator(`figure[data-metric="${column.key}"] tbody tr`).all();
        expect(rows).toHaveLength(4);
        for (const row of rows) {
          const [overlap, ...texts] = await row.locator('th, td').allInnerTexts();
          const values = [8, 16, 24].map((chunk) => {
            const cell = result.cells.find(
              ({ settings }) => settings.chunk === chunk && settings.overlap === Number(overlap),
            ) as Cell;
            const spread = column.of(cell);
            const sign = { done: '–', invalid: '✕', dominated: '≫', failed: '!' }[cell.state];
            return spread ? formatMetric(column.key, spread.mean) : sign;
          });
          expect(texts).toEqual(values);
        }
      }
    }));

  it('can be worked by keyboard, and both sides show the frame that is asked for', () =>
    withPage({}, async (page) => {
      await ready(page);
      await page.locator('.player').focus();
      const press = async (keys: readonly string[]) => {
        for (const key of keys) await page.keyboard.press(key);
        await settled(page);
        return frameOf(page);
      };
      expect(await press(['.', '.', '.'])).toBe(3);
      expect(await shown(page)).toEqual([3, 3]);
      expect(await press([','])).toBe(2);
      expect(await press(['ArrowRight'])).toBe(2 + framesPerSec / 2);
      expect(await press(['ArrowLeft'])).toBe(2);
      const next = (joints: readonly number[], from: number) => joints.find((joint) => joint > from) as number;
      expect(await press(['Shift+ArrowRight'])).toBe(next(best.joints, 2));
      expect(await press(['Home', '2', 'Shift+ArrowRight'])).toBe(next(fastest.joints, 0));
      expect(await shown(page)).toEqual([next(fastest.joints, 0), next(fastest.joints, 0)]);
      expect(await page.locator('[data-activate="1"]').getAttribute('aria-pressed')).toBe('true');
      expect(await press(['End'])).toBe(frames - 1);
      expect(await shown(page)).toEqual([frames - 1, frames - 1]);
      expect(await press(['.'])).toBe(frames - 1);

      // What has the focus is seen, and every control can be reached.
      await page.locator('.player').focus();
      const reached: (string | null)[] = [];
      for (let i = 0; i < 14; i += 1) {
        await page.keyboard.press('Tab');
        const focused = page.locator(':focus');
        expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
        reached.push(await focused.evaluate((element) => element.getAttribute('data-do') ?? element.tagName));
      }
      const controls = ['INPUT', 'play', 'back', 'forward', 'joint-back', 'joint-forward', 'loop', 'speed'];
      expect(reached).toEqual(expect.arrayContaining(controls));
      await page.locator('[data-do=forward]').focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Space');
      await settled(page);
      expect(await frameOf(page)).toBe(1);
    }));

  it('plays both in step, over the end and on', () =>
    withPage({}, async (page) => {
      await ready(page);
      await page.locator('.player').focus();
      await page.keyboard.press('Space');
      await every(page, 'video.currentTime > 0.3');
      const apart: number[] = [];
      const seen: number[] = [];
      for (let i = 0; i < 50; i += 1) {
        const [a = 0, b = 0] = await times(page);
        seen.push(a);
        apart.push(Math.abs(a - b) * framesPerSec);
        await page.waitForTimeout(100);
      }
      // Time that went backwards is a new round.
      const rounds = seen.filter((time, i) => time < (seen[i - 1] ?? 0) - 0.5).length;
      expect(rounds).toBeGreaterThan(0);
      apart.sort((a, b) => a - b);
      expect(apart[Math.floor(apart.length * 0.8)]).toBeLessThan(1);
      await page.keyboard.press('Space');
      await settled(page);
      expect(await page.locator('[data-do=play]').innerText()).toBe('play');
      const frame = await frameOf(page);
      expect(await shown(page)).toEqual([frame, frame]);
    }));

  it('puts another cell on a side by the map, the plane, the table and the list', () =>
    withPage(
      {},
      async (page) => {
        await ready(page);
        const cellOn = (side: number) => page.locator(`[data-cell-of="${side}"]`).inputValue();
        expect(await cellOn(0)).toBe(String(indexOf(best)));
        expect(await cellOn(1)).toBe(String(indexOf(fastest)));
        const others = result.cells.filter((cell) => ![best, fastest, lost].includes(cell) && cell.runs.length > 0);
        const [one, two, three] = others.map(indexOf);
        await page.locator(`figure[data-metric="score"] td[data-cell="${one}"]`).click();
        expect(await cellOn(0)).toBe(String(one));
        await page.locator('[data-activate="1"]').click();
        await page.locator(`.plane [data-cell="${two}"]`).click({ force: true });
        expect(await cellOn(1)).toBe(String(two));
        await page.locator(`[data-side="0"][data-index="${three}"]`).click();
        expect(await cellOn(0)).toBe(String(three));
        await settled(page);
        for (const [side, cell] of [three, two].entries()) {
          const marks = await page
            .locator(`.strip-${side} line`)
            .evaluateAll((lines) => lines.map((line) => line.getAttribute('data-joint')));
          expect(marks.map(Number)).toEqual(result.cells[cell as number]?.joints);
        }
        // The curves are theirs: two strong lines and one for the other seed of each, joints at both edges.
        const curves = page.locator('.curves figure');
        expect(await curves.count()).toBe(9);
        expect(await curves.first().locator('.curve').count()).toBe(4);
        expect(await page.locator('figure.windows:visible').count()).toBe(2);
        // A video that is not there is told of, and the other still plays.
        await page.locator('[data-cell-of="1"]').selectOption(String(indexOf(lost)));
        await page.locator('.side-1 .trouble').waitFor();
        expect(await page.locator('.side-1 .trouble').innerText()).toContain('seed 1/output.mp4');
        await page.locator('[data-do=forward]').click();
        await page.locator('[data-seed-of="1"]').selectOption('1');
        await page.locator('.side-1 .trouble').waitFor({ state: 'hidden' });
      },
      ['Failed to load resource: net::ERR_FILE_NOT_FOUND'],
    ));

  it('sorts the table, the better end first, rows without numbers last', () =>
    withPage({}, async (page) => {
      const values = async (at: number) => {
        const texts = await page.locator(`.numbers tbody tr td:nth-child(${at})`).allInnerTexts();
        return texts.slice(0, result.cells.filter(({ state }) => state === 'done').length).map(Number.parseFloat);
      };
      const heads = await page.locator('.numbers thead th').allInnerTexts();
      for (const [name, sign] of [['Seam ratio', 1] as const, ['Score', -1] as const]) {
        const at = heads.findIndex((head) => head.startsWith(name)) + 1;
        const button = page.locator(`.numbers thead th:nth-child(${at}) button`);
        await button.click();
        const sorted = await values(at);
        expect(sorted).toEqual([...sorted].sort((a, b) => sign * (a - b)));
        await button.click();
        const back = await values(at);
        expect(back).toEqual([...back].sort((a, b) => sign * (b - a)));
        expect(await page.locator('.numbers th[aria-sort]').count()).toBe(1);
      }
    }));

  it('is light or dark as the system is, and fits a phone', async () => {
    const grounds: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await withPage({ colorScheme }, async (page) => {
        await ready(page);
        grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
        if (pictures) await page.screenshot({ path: join(pictures, `report-${colorScheme}.png`), fullPage: true });
      });
    }
    expect(grounds).toEqual(['rgb(246, 246, 244)', 'rgb(22, 24, 27)']);
    await withPage({ viewport: { width: 390, height: 800 }, deviceScaleFactor: 2 }, async (page) => {
      await ready(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      if (pictures) await page.screenshot({ path: join(pictures, 'report-phone.png'), fullPage: true });
    });
  });

  it('can be read without its script', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      await page.locator('noscript p').waitFor();
      expect(await page.locator('.player').isVisible()).toBe(false);
      expect(await page.locator('.plane').isVisible()).toBe(true);
      expect(await page.locator('figure.windows').count()).toBeGreaterThan(2);
      expect(await page.locator('.numbers a').first().getAttribute('href')).toMatch(/^cells\/.*output\.mp4$/);
    }));
});

/** In the page. Texts, as the types of a browser are not known here. */
const allVideos = "[...document.querySelectorAll('video')]";

/** Until it holds for both. The page's policy forbids what playwright's own waiting for a text does. */
async function every(page: Page, condition: string): Promise<void> {
  const holds = () => page.evaluate<boolean>(`${allVideos}.every((video) => ${condition})`);
  await expect.poll(holds, { timeout: 20_000 }).toBe(true);
}

async function ready(page: Page): Promise<void> {
  await every(page, 'video.readyState >= 2');
  await page.locator('.curves figure').first().waitFor();
  await settled(page);
}

/** Until no side seeks, and what it found has been painted. */
async function settled(page: Page): Promise<void> {
  await every(page, 'video.error || (!video.seeking && video.paused)');
  await page.waitForTimeout(150);
}

const times = (page: Page) => page.evaluate<number[]>(`${allVideos}.map((video) => video.currentTime)`);

const frameOf = async (page: Page) => Number(await page.locator('input[type=range]').inputValue());

/** The numbers that the two pictures carry. */
async function shown(page: Page): Promise<number[]> {
  const sides = await page.locator('video').all();
  const numbers: number[] = [];
  for (const side of sides) {
    const picture = sharp(await side.screenshot()).removeAlpha();
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    numbers.push(readIndex({ width: info.width, height: info.height, data: new Uint8Array(data) }));
  }
  return numbers;
}
