/**
 * Features of sounds as microcontrollers compute them: the audio front end of TensorFlow Lite Micro (`tensorflow/lite/experimental/microfrontend`) in the
 * same integers, with the settings that ESPHome, Home Assistant and micro-wake-word have: frames of 30 ms every 10 ms of sound at 16 kHz, 40 bands of the mel
 * scale from 125 to 7,500 Hz, noise reduction, gain by band (PCAN; Wang et al. 2017, "Trainable frontend"), logarithm.
 */
import { fixedPowers } from './fixed-fourier.ts';

/** Values per second of the sounds. */
export const RATE = 16_000;
export const CHANNELS = 40;
/** Values between the starts of two frames: 10 ms. */
const HOP = 160;
/** Values of a frame: 30 ms. */
const WINDOW = 480;
/** Features are whole numbers times this unit; the largest is about 26. */
export const UNIT = 0.039_062_5;

const SIZE = 512;
const [LOW, HIGH] = [125, 7500];
const WINDOW_BITS = 12;
const WEIGHT_BITS = 12;
const SMOOTHING_BITS = 10;
const NOISE_BITS = 14;
const [EVEN, ODD, LEAST] = [0.025, 0.06, 0.05].map((share) => Math.trunc(share * 2 ** NOISE_BITS)) as [
  number,
  number,
  number,
];
/** Bits that the transform and the weights of the bands leave in excess. */
const EXCESS_BITS = bitsOf(SIZE) - 1 - WEIGHT_BITS / 2;
const GAIN = { bits: 21, strength: 0.95, offset: 80 };
const RATIO_BITS = 12;
const OUTPUT_BITS = 6;
const LOG_BITS = 16;
const LOG_SCALE_BITS = 6;

/** Number of frames of `length` values. */
export function framesIn(length: number): number {
  return Math.max(0, Math.floor((length - WINDOW) / HOP) + 1);
}

/** Front end that hears a sound part by part; see above. */
export class MicroFrontEnd {
  readonly #powers = fixedPowers(SIZE);
  /** Estimates of the noise in each band, scaled up by 2^10. */
  readonly #noise = new Float64Array(CHANNELS);
  readonly #kept = new Int16Array(WINDOW);
  #used = 0;

  /** Features [frames, 40] of the frames that `values` complete, in whole numbers: times `UNIT` they are what devices feed their models. */
  heard(values: Int16Array): Uint16Array {
    const frames: Uint16Array[] = [];
    for (let at = 0; at < values.length;) {
      const taken = Math.min(WINDOW - this.#used, values.length - at);
      this.#kept.set(values.subarray(at, at + taken), this.#used);
      this.#used += taken;
      at += taken;
      if (this.#used < WINDOW) break;
      frames.push(this.#frame());
      this.#kept.copyWithin(0, HOP);
      this.#used -= HOP;
    }
    const all = new Uint16Array(frames.length * CHANNELS);
    frames.forEach((frame, i) => all.set(frame, i * CHANNELS));
    return all;
  }

  #frame(): Uint16Array {
    const frame = new Int16Array(SIZE);
    let largest = 0;
    for (let i = 0; i < WINDOW; i++) {
      frame[i] = (this.#kept[i]! * HANN[i]!) >> WINDOW_BITS;
      // The device negates in 16 bits, where -32,768 stays what it is.
      if (frame[i] !== -32_768) largest = Math.max(largest, Math.abs(frame[i]!));
    }
    // The loudest value gets all bits; the bands lose what was gained.
    const shift = 15 - bitsOf(largest);
    for (let i = 0; i < WINDOW; i++) frame[i] = frame[i]! << shift;
    const bands = bandsOf(this.#powers(frame), shift);
    return Uint16Array.from(bands, (band, i) => {
      const signal = this.#withoutNoise(band, i);
      const shrunk = shrunkRatio(Math.floor((signal * gainOf(this.#noise[i]!)) / 2 ** RATIO_SHIFT));
      const value = shrunk * 2 ** EXCESS_BITS;
      return Math.min(65_535, value > 1 ? logarithm(value) : 0);
    });
  }

  /** The signal of a band less the noise, which is a moving mean of the signal; at least a twentieth stays. */
  #withoutNoise(signal: number, channel: number): number {
    const smoothing = channel % 2 === 0 ? EVEN : ODD;
    const scaled = (signal * 2 ** SMOOTHING_BITS) % 2 ** 32;
    const estimate = Math.floor(
      (scaled * smoothing + this.#noise[channel]! * (2 ** NOISE_BITS - smoothing)) / 2 ** NOISE_BITS,
    );
    this.#noise[channel] = estimate;
    const without = Math.floor((scaled - Math.min(estimate, scaled)) / 2 ** SMOOTHING_BITS);
    return Math.max(without, Math.floor((signal * LEAST) / 2 ** NOISE_BITS));
  }
}

/** Features [frames, 40] of a whole sound at 16 kHz, of values from -1 to 1 that are rounded to 16 bits: the units of devices, 0 to about 26. */
export function microFeatures(sound: Float32Array): Float32Array {
  const values = Int16Array.from(sound, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768))));
  return Float32Array.from(new MicroFrontEnd().heard(values), (value) => value * UNIT);
}

// Tables are computed in single precision, as on the device: `Math.fround` where it stores a number.
const { fround } = Math;

const HANN = Int16Array.from({ length: WINDOW }, (_, i) => {
  const value = fround(0.5 - 0.5 * fround(Math.cos(fround((2 * Math.PI) / WINDOW) * (i + 0.5))));
  return Math.floor(value * 2 ** WINDOW_BITS + 0.5);
});

/** Number of bits of a whole number: 0 has none, 4 has three. */
function bitsOf(value: number): number {
  return value >= 2 ** 32 ? 32 + bitsOf(Math.floor(value / 2 ** 32)) : 32 - Math.clz32(value);
}

const mel = (hertz: number): number => fround(1127 * fround(Math.log1p(fround(hertz / 700))));

/** Weights of the frequencies: a frequency between the centres of two bands counts to both. */
const BANDS = (() => {
  const hertz = (0.5 * RATE) / (SIZE / 2);
  const span = fround(fround(mel(HIGH) - mel(LOW)) / (CHANNELS + 1));
  const centres = Array.from({ length: CHANNELS + 1 }, (_, i) => fround(mel(LOW) + fround(span * (i + 1))));
  let bin = Math.trunc(1.5 + LOW / hertz);
  return centres.map((centre, i) => {
    const before = i === 0 ? mel(LOW) : centres[i - 1]!;
    const first = bin;
    const [own, next]: [number[], number[]] = [[], []];
    for (; mel(bin * hertz) <= centre; bin++) {
      const share = fround(fround(centre - mel(bin * hertz)) / fround(centre - before));
      own.push(Math.floor(share * 2 ** WEIGHT_BITS + 0.5));
      next.push(Math.floor((1 - share) * 2 ** WEIGHT_BITS + 0.5));
    }
    return { first, own, next };
  });
})();

/** Amplitude of each band of the powers of a frame, whose values were shifted up by `shift` bits. */
function bandsOf(powers: Uint32Array, shift: number): number[] {
  const sums: number[] = [];
  let begun = 0;
  for (const { first, own, next } of BANDS) {
    let [whole, later] = [begun, 0];
    own.forEach((weight, j) => {
      whole += weight * powers[first + j]!;
      later += next[j]! * powers[first + j]!;
    });
    sums.push(whole);
    begun = later;
  }
  // What lies below the first centre belongs to no band.
  return sums.slice(1).map((sum) => roundedRoot(sum) >>> shift);
}

/** The whole number nearest to a square root. */
function roundedRoot(value: number): number {
  const root = Math.floor(Math.sqrt(value));
  return root < 2 ** 32 - 1 && value - root * root > root && root !== 65_535 ? root + 1 : root;
}

const RATIO_SHIFT = GAIN.bits - EXCESS_BITS - RATIO_BITS;

function gainAt(noise: number): number {
  const level = fround(fround(noise) / 2 ** (SMOOTHING_BITS - EXCESS_BITS) + GAIN.offset);
  const gain = 2 ** GAIN.bits * fround(level ** fround(-GAIN.strength));
  return gain > 32_767 ? 32_767 : Math.trunc(fround(gain + 0.5));
}

/** Between powers of two the gain is a parabola through both and the point halfway. */
const GAINS = Array.from({ length: 33 }, (_, bits) => {
  if (bits < 2) return { start: gainAt(bits), slope: 0, bend: 0 };
  const from = 2 ** (bits - 1);
  const [start, middle, end] = [from, from * 1.5, bits === 32 ? 2 * from - 1 : 2 * from].map(gainAt) as [
    number,
    number,
    number,
  ];
  const slope = 4 * (middle - start) - (end - start);
  return { start, slope, bend: end - start - slope };
});

function gainOf(noise: number): number {
  if (noise <= 2) return gainAt(noise);
  const bits = bitsOf(noise);
  const { start, slope, bend } = GAINS[bits]!;
  const fraction = (bits < 11 ? noise << (11 - bits) : Math.floor(noise / 2 ** (bits - 11))) & 0x3ff;
  const above = (((bend * fraction) >> 5) + slope * 32) * fraction;
  return start + ((above + (1 << 14)) >> 15);
}

/** A ratio to the noise, with its small values squared and its large ones less a constant. */
function shrunkRatio(ratio: number): number {
  if (ratio < 2 * 2 ** RATIO_BITS) return Math.floor((ratio * ratio) / 2 ** (2 + 2 * RATIO_BITS - OUTPUT_BITS));
  return Math.floor(ratio / 2 ** (RATIO_BITS - OUTPUT_BITS)) - 2 ** OUTPUT_BITS;
}

/** Distance of log2(1 + x) from x at 129 places between 0 and 1. */
const CURVE = Array.from({ length: 129 }, (_, i) => Math.round((Math.log2(1 + i / 128) - i / 128) * 2 ** LOG_BITS));
const NATURAL = Math.round(Math.LN2 * 2 ** LOG_BITS);

/** Natural logarithm times 64. */
function logarithm(value: number): number {
  const whole = bitsOf(value) - 1;
  const fraction = Math.floor((value - 2 ** whole) * 2 ** (LOG_BITS - whole));
  const at = fraction >> 9;
  const [before, after] = [CURVE[at]!, CURVE[at + 1]!];
  const between = ((after - before) * (fraction - (at << 9))) >> LOG_BITS;
  const log2 = whole * 2 ** LOG_BITS + fraction + before + between;
  const natural = Math.floor((NATURAL * log2 + 2 ** (LOG_BITS - 1)) / 2 ** LOG_BITS);
  return Math.floor((natural * 2 ** LOG_SCALE_BITS + 2 ** (LOG_BITS - 1)) / 2 ** LOG_BITS);
}
