/** Maximum number of cached filters: the sounds of a data set have few rates. */
const MOST_FILTERS = 8;
/** Zero crossings of the filter on each side, and the beta of its window. */
const [HALF_WIDTH, BETA] = [10, 5];

/**
 * Resamples a sound by `up / down`, a fraction in lowest terms: frequencies above half of the lower rate are removed by a cutIntoWindows sinc (polyphase,
 * Kaiser window of beta 5), with the values of `scipy.signal.resample_poly`. Returns ceil(length · up / down) values, or at most `most` in their
 * middle, without computing the others.
 */
export function polyphase(values: Float32Array, up: number, down: number, most = Infinity): Float32Array {
  const filter = filterOf(up, down);
  const half = (filter.length - 1) / 2;
  const whole = Math.ceil((values.length * up) / down);
  const out = new Float32Array(Math.min(whole, most));
  const from = Math.floor((whole - out.length) / 2);
  for (let i = 0; i < out.length; i++) {
    const centre = (from + i) * down;
    const first = Math.max(0, Math.ceil((centre - half) / up));
    const last = Math.min(values.length - 1, Math.floor((centre + half) / up));
    let sum = 0;
    for (let k = first; k <= last; k++) sum += values[k]! * filter[centre - k * up + half]!;
    out[i] = sum;
  }
  return out;
}

const filters = new Map<string, Float64Array>();

function filterOf(up: number, down: number): Float64Array {
  const key = `${up}/${down}`;
  const found = filters.get(key);
  if (found !== undefined) return found;
  const widest = Math.max(up, down);
  const half = HALF_WIDTH * widest;
  const filter = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const x = (i - half) / widest;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return (sinc * bessel(BETA * Math.sqrt(1 - ((i - half) / half) ** 2))) / bessel(BETA);
  });
  // The gain keeps constants unchanged.
  const gain = up / filter.reduce((sum, value) => sum + value, 0);
  const result = filter.map((value) => value * gain);
  if (filters.size >= MOST_FILTERS) filters.clear();
  filters.set(key, result);
  return result;
}

/** Modified Bessel function of the first kind, order 0, as a series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
