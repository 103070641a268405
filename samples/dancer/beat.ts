import { noise } from './paint.js';

/** A short drum and bass loop to dance to: `seconds` of mono sound in -1..1 at `rate` samples a second. */
export function beatLoop(seconds: number, rate: number, beatsPerMinute: number): Float32Array {
  const sound = new Float32Array(Math.round(seconds * rate));
  const beat = 60 / beatsPerMinute;
  const notes = [55, 55, 65.41, 49];
  const ring = (start: number, size: number, wave: (t: number) => number) => {
    const from = Math.round(start * rate);
    for (let i = 0; i < size * rate && from + i < sound.length; i++)
      sound[from + i] = (sound[from + i] ?? 0) + wave(i / rate);
  };
  const hiss = (t: number) => noise(t * 31000, 0.5, 0.5);
  for (let k = 0; k * beat < seconds - 1e-6; k++) {
    const at = k * beat;
    // Kick: a sine that falls from 150 to 45 Hz.
    ring(at, 0.3, (t) => 0.75 * Math.exp(-t * 13) * Math.sin(2 * Math.PI * (45 * t - 3.2 * Math.exp(-t * 33))));
    if (k % 2 === 1) ring(at, 0.16, (t) => 0.3 * Math.exp(-t * 26) * (hiss(t) + 0.5 * Math.sin(2 * Math.PI * 190 * t)));
    ring(at + beat / 2, 0.06, (t) => 0.16 * Math.exp(-t * 70) * hiss(t + 7));
    const note = notes[Math.floor(k / 2) % notes.length] ?? 55;
    for (const half of [0.25, 0.75])
      ring(at + half * beat, 0.2, (t) => {
        const phase = 2 * Math.PI * note * 2 * t;
        return 0.2 * Math.min(1, t * 200) * Math.exp(-t * 9) * (Math.sin(phase) + 0.35 * Math.sin(2 * phase));
      });
  }
  return sound.map((s) => Math.tanh(s));
}

/** 16-bit PCM WAV file of mono sound. */
export function wavOf(sound: Float32Array, rate: number): Uint8Array {
  const bytes = new Uint8Array(44 + sound.length * 2);
  const view = new DataView(bytes.buffer);
  const word = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  word(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, 'data');
  view.setUint32(40, sound.length * 2, true);
  for (const [i, s] of sound.entries()) view.setInt16(44 + i * 2, Math.round(s * 32767), true);
  return bytes;
}
