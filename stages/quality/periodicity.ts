/** What a series varies by without anybody seeing it: the least that is put in the denominator. */
const unseen = 0.1;

/**
 * How much a series repeats with a period: the power at the period and its harmonics over the power of the frequencies
 * around them, P = sum_k |X(k/p)|^2 / sum_k mean |X(f)|^2 over f in ((k-1/2)/p, (k+1/2)/p) without k/p, k = 1..p/2. The last
 * whole number of periods is taken, so that all are frequencies of one discrete Fourier transform. A repeated jump has all
 * harmonics, which is why they count together. The power around is taken as that of noise of deviation 0.1 at least, or a very
 * smooth series would make much of nothing. 0..infinity; about 1 or less when the period is nothing special, with
 * chance in it (less the longer the period); a single jump is 1, too. A movement that itself repeats
 * with the period counts as well: compare with the same number of the driving clip.
 * @param series one number a frame, in a unit in which 1 is much: `excess` of `againstSpeed`
 * @param period in frames, an integer >= 2: chunk - overlap for windows, or for decoding in chunks
 * @returns undefined for fewer than two periods or a period under 2
 */
export function periodicity(series: readonly number[], period: number): number | undefined {
  const rounds = Math.floor(series.length / period);
  if (!Number.isInteger(period) || period < 2 || rounds < 2) return undefined;
  const part = series.slice(series.length - rounds * period);
  let [at, around] = [0, 0];
  for (let harmonic = 1; harmonic <= period / 2; harmonic++) {
    const center = harmonic * rounds;
    const neighbours: number[] = [];
    for (let bin = Math.floor((harmonic - 0.5) * rounds) + 1; bin < (harmonic + 0.5) * rounds; bin++)
      if (bin !== center && bin <= part.length / 2) neighbours.push(power(part, bin));
    at += power(part, center);
    around += neighbours.reduce((sum, value) => sum + value, 0) / neighbours.length;
  }
  const least = Math.floor(period / 2) * part.length * unseen ** 2;
  return at / Math.max(around, least);
}

/** |X(bin)|^2 of the discrete Fourier transform. */
function power(series: readonly number[], bin: number): number {
  let [re, im] = [0, 0];
  for (const [t, value] of series.entries()) {
    const angle = (-2 * Math.PI * ((bin * t) % series.length)) / series.length;
    re += value * Math.cos(angle);
    im += value * Math.sin(angle);
  }
  return re ** 2 + im ** 2;
}
