import type { SpecAugment } from './spec-augment.ts';

/** Front-end of sounds: the features that a network reads. */
export interface LogMel {
  /** Sample rate of the sound, in values per second. */
  readonly rate: number;
  /** Number of values of a sample. */
  readonly length: number;
  /** Number of values of a frame, and between the starts of frames. */
  readonly window: number;
  readonly hop: number;
  /** Number of mel bands, and their lowest and highest frequency in hertz. */
  readonly mels: number;
  readonly low: number;
  readonly high: number;
  /** Number of cepstral coefficients (MFCC) computed from the bands; undefined: the bands themselves. */
  readonly coefficients?: number | undefined;
  /** Masks of the bands, in training only. Default: none. */
  readonly specAugment?: SpecAugment | undefined;
}

/** Number of complete frames in a sample. */
export function framesOf({ length, window, hop }: LogMel): number {
  return 1 + Math.floor((length - window) / hop);
}

/** Shape of a sample's features: [frames, bands or coefficients, 1]. */
export function melShape(sound: LogMel): readonly [number, number, number] {
  return [framesOf(sound), sound.coefficients ?? sound.mels, 1];
}

/** Slaney's mel scale (Auditory Toolbox, 1998): linear to 1,000 Hz, 27 bands for each factor of 6.4 above. */
const [LINEAR, BREAK, STEP] = [200 / 3, 1000, Math.log(6.4) / 27];

function toMel(hertz: number): number {
  return hertz < BREAK ? hertz / LINEAR : BREAK / LINEAR + Math.log(hertz / BREAK) / STEP;
}

function toHertz(mel: number): number {
  return mel < BREAK / LINEAR ? mel * LINEAR : BREAK * Math.exp(STEP * (mel - BREAK / LINEAR));
}

/** [bins, mels] triangles of equal area over the bins of a Fourier transform of `window` values: `librosa.filters.mel`. */
export function melFilters({ rate, window, mels, low, high }: LogMel): Float64Array {
  const bins = Math.floor(window / 2) + 1;
  const [from, to] = [toMel(low), toMel(high)];
  const edges = Array.from({ length: mels + 2 }, (_, i) => toHertz(from + ((to - from) * i) / (mels + 1)));
  const filters = new Float64Array(bins * mels);
  for (let m = 0; m < mels; m++) {
    const [left, centre, right] = [edges[m]!, edges[m + 1]!, edges[m + 2]!];
    for (let bin = 0; bin < bins; bin++) {
      const hertz = (bin * rate) / window;
      const height = Math.min((hertz - left) / (centre - left), (right - hertz) / (right - centre));
      filters[bin * mels + m] = (Math.max(0, height) * 2) / (right - left);
    }
  }
  return filters;
}

/** Neighbouring bands, computed by the product of their bins with a matrix. */
export interface BandGroup {
  /** First bin, and number of bins. */
  readonly from: number;
  readonly bins: number;
  readonly bands: number;
  /** [bins, bands] */
  readonly filters: Float32Array;
}

/** Cost of another group in a file, in elements: two operators and their tensors. */
const GROUP_COST = 80;

/** The filters of `melFilters` in the cheapest groups: most of the whole matrix is 0, because each bin belongs to at most two bands. */
export function bandGroups(sound: LogMel): BandGroup[] {
  const { mels, window } = sound;
  const filters = melFilters(sound);
  const all = Math.floor(window / 2) + 1;
  const heights = (bin: number, from: number, to: number): Float64Array =>
    filters.subarray(bin * mels + from, bin * mels + to);
  const reached = Array.from({ length: mels }, (_, band) => {
    const bins = Array.from({ length: all }, (__, bin) => bin).filter((bin) => heights(bin, band, band + 1)[0]! > 0);
    return bins.length === 0 ? undefined : ([bins[0]!, bins.at(-1)! + 1] as const);
  });
  /** First bin and the end (exclusive); a band between two bins covers none, and is always 0. */
  const span = (from: number, to: number): readonly [number, number] => {
    const spans = reached.slice(from, to).filter((found) => found !== undefined);
    return spans.length === 0 ? [0, 1] : [spans[0]![0], spans.at(-1)![1]];
  };
  // Cheapest groups for the first `to` bands; the last group begins at `from`.
  const cheapest: { cost: number; from: number }[] = [{ cost: 0, from: 0 }];
  for (let to = 1; to <= mels; to++) {
    const options = Array.from({ length: to }, (_, from) => {
      const [first, behind] = span(from, to);
      return { from, cost: cheapest[from]!.cost + (behind - first) * (to - from) + GROUP_COST };
    });
    cheapest.push(options.reduce((best, option) => (option.cost < best.cost ? option : best)));
  }
  const groups: BandGroup[] = [];
  for (let to = mels; to > 0; to = cheapest[to]!.from) {
    const { from } = cheapest[to]!;
    const [first, behind] = span(from, to);
    const rows = Array.from({ length: behind - first }, (_, i) => [...heights(first + i, from, to)]);
    groups.unshift({ from: first, bins: behind - first, bands: to - from, filters: Float32Array.from(rows.flat()) });
  }
  return groups;
}

/** [mels, coefficients] of the orthonormal discrete cosine transform of type II: `scipy.fft.dct(…, norm='ortho')`. */
export function cosines(mels: number, coefficients: number): Float32Array {
  return Float32Array.from({ length: mels * coefficients }, (_, i) => {
    const [m, k] = [Math.floor(i / coefficients), i % coefficients];
    return Math.sqrt((k === 0 ? 1 : 2) / mels) * Math.cos((Math.PI * k * (2 * m + 1)) / (2 * mels));
  });
}
