/** PlaceRows of numbers, [rows, cells]. */
export interface PlaceRows {
  readonly data: Float32Array;
  readonly cells: number;
}

/** Softmax of each row, of logits times `sharpness`. */
export function probabilitiesOfRows({ data, cells }: PlaceRows, sharpness = 1): PlaceRows {
  const out = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += cells) {
    let most = -Infinity;
    for (let i = start; i < start + cells; i++) most = Math.max(most, data[i]!);
    let sum = 0;
    for (let i = start; i < start + cells; i++) {
      out[i] = Math.exp(sharpness * (data[i]! - most));
      sum += out[i]!;
    }
    for (let i = start; i < start + cells; i++) out[i]! /= sum;
  }
  return { data: out, cells };
}

/** Share of the highest value of a map below which heights are noise. */
const NOISE = 0.1;

/**
 * Probabilities of columns and of rows, [n · points, width] and [n · points, height], of heat maps [n, points, height, width] or, with `isLast`, [n, height,
 * width, points]: the sums over the other axis. Maps are logits of which the softmax over all cells is taken, or with `areResponses` heights, of which those
 * below a tenth of the highest count as 0: noise of thousands of cells would outweigh a peak.
 */
export function rowsOfHeatMaps(
  { data, shape }: { readonly data: Float32Array; readonly shape: readonly number[] },
  { count, isLast, areResponses }: { readonly count: number; readonly isLast: boolean; readonly areResponses: boolean },
): { readonly x: PlaceRows; readonly y: PlaceRows } {
  const [n] = shape as readonly [number];
  const [height, width] = (isLast ? shape.slice(1, 3) : shape.slice(2)) as [number, number];
  const cells = height * width;
  const [x, y] = [new Float32Array(n * count * width), new Float32Array(n * count * height)];
  for (let map = 0; map < n * count; map++) {
    const [sample, point] = [Math.floor(map / count), map % count];
    const at = (cell: number): number =>
      isLast ? data[(sample * cells + cell) * count + point]! : data[map * cells + cell]!;
    let most = -Infinity;
    for (let cell = 0; cell < cells; cell++) most = Math.max(most, at(cell));
    const heightOf = (value: number): number =>
      areResponses ? (value > 0 && value >= NOISE * most ? value : 0) : Math.exp(value - most);
    let sum = 0;
    for (let cell = 0; cell < cells; cell++) {
      const value = heightOf(at(cell));
      sum += value;
      x[map * width + (cell % width)]! += value;
      y[map * height + Math.floor(cell / width)]! += value;
    }
    // A map without a height says nothing: all places are alike.
    for (let i = 0; i < width; i++) x[map * width + i] = sum === 0 ? 1 / width : x[map * width + i]! / sum;
    for (let i = 0; i < height; i++) y[map * height + i] = sum === 0 ? 1 / height : y[map * height + i]! / sum;
  }
  return { x: { data: x, cells: width }, y: { data: y, cells: height } };
}

/** Least probability of a place, whose logarithm is finite in half precision. */
const LEAST = 1e-12;

/** Logits [n, points, 2, bins] of probabilities of columns and rows, in the order of the data set; `order`: index of each of its points among `count`. */
export function toPlaces(
  x: PlaceRows,
  y: PlaceRows,
  { count, order, bins }: { readonly count: number; readonly order: readonly number[]; readonly bins: number },
): Float32Array {
  const n = x.data.length / x.cells / count;
  const out = new Float32Array(n * order.length * 2 * bins);
  for (let i = 0; i < n; i++)
    order.forEach((at, k) => {
      [x, y].forEach(({ data, cells }, axis) => {
        const from = (i * count + at) * cells;
        const row = resampled(data.subarray(from, from + cells), bins);
        out.set(
          row.map((p) => Math.log(Math.max(p, LEAST))),
          ((i * order.length + k) * 2 + axis) * bins,
        );
      });
    });
  return out;
}

/**
 * Probabilities of `bins` places of probabilities of cells, both from end to end of the same side: by Catmull and Rom's cubic between the middles of cells, mean
 * over each place. As many places as cells are the cells themselves.
 */
function resampled(row: Float32Array, bins: number): Float32Array {
  const cells = row.length;
  if (cells === bins) return row;
  const parts = Math.ceil(cells / bins);
  const value = (i: number): number => row[Math.min(cells - 1, Math.max(0, i))]!;
  const out = new Float32Array(bins);
  let sum = 0;
  for (let bin = 0; bin < bins; bin++) {
    let total = 0;
    for (let part = 0; part < parts; part++) {
      const place = ((bin + (part + 0.5) / parts) / bins) * cells - 0.5;
      const start = Math.floor(place);
      const t = place - start;
      const [a, b, c, d] = [value(start - 1), value(start), value(start + 1), value(start + 2)];
      total += b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    }
    out[bin] = Math.max(0, total);
    sum += out[bin]!;
  }
  return sum > 0 ? out.map((p) => p / sum) : out.fill(1 / bins);
}
