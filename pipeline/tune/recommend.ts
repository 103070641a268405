import { metricInfos } from './metric-infos.js';
import { scoreNoise } from './noise.js';
import type { Score } from './score.js';
import type { Cell, MetricName, Recommendation } from './types.js';

/** Twice the time has to buy this much score; that is where the knee is. */
export const worthOfDoubling = 0.15;

/** A cell with its score, and what it costs in any one unit. */
export type Candidate = { readonly cell: Cell; readonly cost: number; readonly score: number };

/** What the cells cost: measured seconds a frame where all have them, else frames run through the network. */
export function candidatesOf(cells: readonly Cell[]): readonly Candidate[] {
  const scored = cells.filter(({ score }) => score !== undefined);
  const timed = scored.every(({ values }) => values.secondsPerFrame !== undefined);
  return scored.map((cell) => {
    const predicted = (cell.values.costFactor?.mean ?? 1) * cell.settings.steps;
    return {
      cell,
      score: cell.score as number,
      cost: timed ? (cell.values.secondsPerFrame?.mean as number) : predicted,
    };
  });
}

/** Those that no other one beats: none is as cheap and better, or cheaper and as good. Cheapest first. */
export function frontOf(candidates: readonly Candidate[]): readonly Candidate[] {
  const beaten = (one: Candidate) =>
    candidates.some(
      (other) =>
        other.cost <= one.cost && other.score >= one.score && (other.cost < one.cost || other.score > one.score),
    );
  return candidates.filter((one) => !beaten(one)).sort((a, b) => a.cost - b.cost);
}

/**
 * The knee of the front, where doubling the cost begins to buy less than {@link worthOfDoubling}: the largest score - worth x
 * log2(cost). Of the cells on the front that are worse than it by no more than chance, the cheapest. Undefined without candidates.
 * @param preset where the settings are written, relative to the tune folder
 */
export function recommend(
  cells: readonly Cell[],
  scores: ReadonlyMap<string, Score>,
  preset: string,
): Recommendation | undefined {
  const candidates = candidatesOf(cells);
  const front = frontOf(candidates);
  const [cheapest] = front;
  if (!cheapest) return undefined;
  const noise = scoreNoise(candidates.map(({ cell }) => ({ deviation: cell.scoreDeviation, runs: cell.runs.length })));
  const worth = ({ score, cost }: Candidate) => score - worthOfDoubling * Math.log2(cost / cheapest.cost);
  const knee = front.reduce((best, one) => (worth(one) > worth(best) ? one : best));
  const chosen = front.find(({ score }) => score >= knee.score - noise) as Candidate;
  const best = front.at(-1) as Candidate;
  const rival = candidates.filter((one) => one !== chosen).sort((a, b) => b.score - a.score)[0];
  const withinNoise = rival !== undefined && Math.abs(rival.score - chosen.score) <= noise;
  const repeated = candidates.some(({ cell }) => cell.scoreDeviation !== undefined);
  return {
    cell: chosen.cell.id,
    reasons: [
      ...reasonsFor({ chosen, knee, best, front, candidates, noise, repeated }),
      ...faultsOf(chosen, candidates, scores),
    ],
    withinNoise,
    preset,
  };
}

type Choice = {
  readonly chosen: Candidate;
  readonly knee: Candidate;
  readonly best: Candidate;
  readonly front: readonly Candidate[];
  readonly candidates: readonly Candidate[];
  readonly noise: number;
  readonly repeated: boolean;
};

function reasonsFor({ chosen, knee, best, front, candidates, noise, repeated }: Choice): string[] {
  const reasons: string[] = [];
  if (candidates.length === 1) return [`${nameOf(chosen)} is the only cell that could be measured.`];
  const score = `${nameOf(chosen)} scores ${two(chosen.score)}`;
  reasons.push(chosen === best ? `${score}, the best of ${candidates.length} cells.` : `${score}.`);
  if (chosen !== knee) {
    const more = `${two(knee.score)}, and takes ${two(knee.cost / chosen.cost)} times as long`;
    reasons.push(`${nameOf(knee)} scores ${more}; the difference may be chance.`);
  }
  if (best !== knee) {
    const gain = `${two(best.score - knee.score)} more for ${two(best.cost / knee.cost)} times the time`;
    reasons.push(
      `The best, ${nameOf(best)}, scores ${two(best.score)}: ${gain}, where ${two(worthOfDoubling)} is asked for twice the time.`,
    );
  }
  const below = front[front.indexOf(chosen) - 1];
  if (below) {
    reasons.push(
      `The next cheaper one, ${nameOf(below)}, takes ${two(below.cost / chosen.cost)} of the time and scores ${two(below.score)}.`,
    );
  } else reasons.push('Nothing cheaper was measured.');
  reasons.push(
    repeated
      ? `Differences in score up to ${two(noise)} are chance, by the spread over the seeds.`
      : `There is one seed, so differences up to ${two(noise)} are taken for chance; --seeds 3 measures them.`,
  );
  return reasons;
}

/** Where the chosen cell differs most from the others in what the score is made of. */
function faultsOf(chosen: Candidate, candidates: readonly Candidate[], scores: ReadonlyMap<string, Score>): string[] {
  const lossOf = (id: string, metric: MetricName) =>
    scores.get(id)?.losses.find((one) => one.metric === metric)?.loss ?? 0;
  const worst = candidates.reduce((a, b) => (b.score < a.score ? b : a));
  if (worst === chosen) return [];
  const metrics = (scores.get(worst.cell.id)?.losses ?? [])
    .map(({ metric, loss }) => ({ metric, gain: loss - lossOf(chosen.cell.id, metric) }))
    .filter(({ gain }) => gain > 0.02)
    .sort((a, b) => b.gain - a.gain)
    .slice(0, 3)
    .flatMap(({ metric }) => {
      const [own, other] = [chosen.cell.values[metric]?.mean, worst.cell.values[metric]?.mean];
      const title = metricInfos.find(({ name }) => name === metric)?.title ?? metric;
      return own === undefined || other === undefined ? [] : [`${title} ${short(own)} against ${short(other)}`];
    });
  return metrics.length === 0 ? [] : [`Against the worst, ${nameOf(worst)}: ${metrics.join(', ')}.`];
}

function nameOf({ cell: { settings } }: Candidate): string {
  return `chunk ${settings.chunk}, overlap ${settings.overlap} (${settings.fusion}, ${settings.steps} ${settings.steps === 1 ? 'step' : 'steps'})`;
}

function two(value: number): string {
  return value.toFixed(2);
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
