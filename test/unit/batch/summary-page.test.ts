import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { summaryPage } from '#dist/pipeline/batch/summary-page.js';
import type { BatchResult, ClipOutcome } from '#dist/pipeline/batch/types.js';

const clip = (name: string, more: Partial<ClipOutcome> = {}): ClipOutcome => ({
  ...{ name, state: 'done', video: 'v.mp4', image: 'i.png', attempts: 1, earlier: false, frames: 48, seconds: 62 },
  ...more,
});
const evil = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script>\u202e&`;
const pageOf = (clips: readonly ClipOutcome[], more: Partial<BatchResult> = {}) => {
  const result = { dir: '/out', clips, skipped: [], summary: '/out/summary.html', seconds: 100, ...more };
  return summaryPage({ result, title: 'Batch <out>', now: new Date(0) });
};
/** The page's elements as far as foreign text could make more of them. */
const count = (page: string, pattern: RegExp) => [...page.matchAll(pattern)].length;

describe('summary page', () => {
  it('escapes everything foreign', () => {
    const error = {
      ...{ code: evil, kind: evil, what: evil, where: evil, got: evil, expected: evil, hint: evil },
    };
    const stages = [{ stage: evil, ms: 5, reused: false }];
    const page = pageOf([clip(evil, { warnings: [evil], stages }), clip(`${evil}2`, { state: 'failed', error })], {
      dir: evil,
      skipped: [{ name: evil, why: evil }],
    });
    expect(page).not.toContain('\u202e');
    expect(page).not.toContain('<img src=x');
    expect(count(page, /<script/g)).toBe(1);
    expect(count(page, /<img/g)).toBe(1);
    expect(page).toContain('<title>Batch &lt;out&gt;</title>');
    // No quote of theirs ends an attribute.
    for (const [, link] of page.matchAll(/(?:href|src)="([^"]*)"/g)) {
      expect(link).toMatch(/^[\w%.&;#/~()*!-]+$/);
      expect(link).not.toContain('<');
    }
  });
  it('links to the files beside it', () => {
    const page = pageOf([clip('a b#1?/50%')]);
    const folder = 'a%20b%231%3F%2F50%25';
    for (const file of ['output.mp4', 'comparison.mp4', 'pose.mp4', 'contact-sheet.png', 'run.json']) {
      expect(page).toContain(`href="${folder}/${file}"`);
    }
    expect(page).toContain(`href="logs/${folder}.log"`);
    expect(page).toContain(`<img src="${folder}/contact-sheet.png" loading="lazy"`);
    expect(page).toMatch(new RegExp(`<a class="media" href="${folder}/output.mp4"`));
    expect(page).not.toMatch(/https?:|(?:src|href)="\//);
    expect(() => pageOf([clip('lone \ud800 half')])).not.toThrow();
  });
  it('permits only its own style and script', () => {
    const page = pageOf([clip('a')]);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    for (const tag of ['style', 'script']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
      expect(text.length).toBeGreaterThan(100);
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    // The policy would not let them work.
    expect(page.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')).not.toMatch(/ (style|on\w+)=/);
  });
  it('tells what became of each clip', () => {
    const page = pageOf(
      [
        clip('fine', {
          ...{ attempts: 2, startUpSec: 4.1, warnings: ['two people'] },
          stages: [
            { stage: 'pose', ms: 1000, reused: true },
            { stage: 'denoise', ms: 6000, reused: false },
            { stage: 'features', ms: 1000, reused: false },
            { stage: 'align', ms: 2000, reused: false },
          ],
        }),
        clip('next', { startUpSec: 0.2 }),
        clip('old', { earlier: true }),
        clip('bad', { state: 'failed', error: { code: 'a.b', kind: 'input', what: 'no frames', hint: 'another' } }),
        clip('cut', { state: 'interrupted', attempts: 0 }),
      ],
      { skipped: [{ name: 'notes.txt', why: 'not a video' }] },
    );
    expect(page).toContain('48 frames · 1 min 2 s · 2 attempts · start-up 4.1 s');
    expect(page).toContain('<p class="warning">two people</p>');
    expect(page).toContain('<rect class="denoise" x="10" width="70" height="1"/>');
    expect(page).toContain('denoising 7.0 s');
    expect(page).toContain('poses reused');
    expect(page).toContain('<strong>no frames</strong>');
    expect(page).toContain('<dt>hint</dt><dd>another</dd>');
    expect(page).toContain('start-up 4.1 s for the first clip, 0.2 s for the other');
    expect(page).toContain('<bdi>notes.txt</bdi>: <span class="soft">not a video</span>');
    expect(page).toContain('done earlier</span>');
    for (const button of ['all 5', 'done 3', 'failed 1', 'interrupted 1', 'skipped 1']) {
      expect(page).toContain(`>${button}</button>`);
    }
    // Failed ones first; only finished ones have pictures.
    expect(page.indexOf('>bad<')).toBeLessThan(page.indexOf('>fine<'));
    expect(count(page, /<a class="media"/g)).toBe(3);
  });
  it('stays small for a thousand clips', () => {
    const stages = ['models', 'pose', 'denoise', 'decode', 'encode'].map((stage) => ({
      stage,
      ms: 900,
      reused: false,
    }));
    const page = pageOf(Array.from({ length: 1000 }, (_, i) => clip(`clip ${i}`, { stages })));
    expect(page.length).toBeLessThan(2_500_000);
  });
});
