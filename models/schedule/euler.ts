/**
 * Denoised estimate of a v-prediction: `x0 = c_out v + c_skip x`, `c_skip = 1/(sigma^2+1)`, `c_out = -sigma/sqrt(sigma^2+1)`
 * (EDM with v-parametrisation, as the published scheduler).
 */
export function denoised(x: number, v: number, sigma: number): number {
  const s = sigma * sigma + 1;
  return x / s - (sigma / Math.sqrt(s)) * v;
}

/**
 * One Euler step without churn from `sigma` to `sigmaNext`: `x + (x - x0)/sigma (sigmaNext - sigma)`.
 * @param x latents, any shape; @param v guided v-prediction, same length.
 * @returns new latents, float32; arithmetic in float64.
 */
export function eulerStep(x: Float32Array, v: Float32Array, sigma: number, sigmaNext: number): Float32Array {
  if (x.length !== v.length) throw new RangeError(`${v.length} predictions for ${x.length} latents`);
  const s = sigma * sigma + 1;
  const [skip, out] = [1 / s, sigma / Math.sqrt(s)];
  const ratio = sigmaNext / sigma - 1;
  const next = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const xi = x[i] as number;
    const x0 = skip * xi - out * (v[i] as number);
    next[i] = xi + (xi - x0) * ratio;
  }
  return next;
}
