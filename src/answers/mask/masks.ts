/** Grid of answers over a picture: a cell at every `stride`-th pixel. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  /** Pixels. */
  readonly stride: number;
}

/** Places and weights that a pixel of a resized axis is interpolated from. */
interface Between {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Bilinear interpolation between the centres of cells, as ONNX's Resize with half_pixel and tf.image.resizeBilinear with half-pixel centres. */
function between(cells: number, pixels: number): Between[] {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = Math.max(0, ((pixel + 0.5) * cells) / pixels - 0.5);
    const low = Math.min(cells - 1, Math.floor(place));
    return { low, high: Math.min(cells - 1, low + 1), share: Math.fround(place - low) };
  });
}

/** Masks [n, height · width] of logits [n, rows · columns · classes]: the class of the largest logit after bilinear resizing, the first of equals. */
export function masksOf(answers: Float32Array, { rows, columns, classes, stride }: Grid): Uint8Array {
  const each = rows * columns * classes;
  const samples = answers.length / each;
  const [height, width] = [rows * stride, columns * stride];
  const masks = new Uint8Array(samples * height * width);
  const [down, across] = [between(rows, height), between(columns, width)];
  const line = new Float32Array(columns * classes);
  let at = 0;
  for (let sample = 0; sample < samples; sample++)
    for (const { low, high, share } of down) {
      const [above, below] = [sample * each + low * columns * classes, sample * each + high * columns * classes];
      for (let i = 0; i < line.length; i++)
        line[i] = answers[above + i]! + (answers[below + i]! - answers[above + i]!) * share;
      for (const place of across) {
        const [left, right] = [place.low * classes, place.high * classes];
        let [best, most] = [0, -Infinity];
        for (let c = 0; c < classes; c++) {
          const value = line[left + c]! + (line[right + c]! - line[left + c]!) * place.share;
          if (value > most) [best, most] = [c, value];
        }
        masks[at++] = best;
      }
    }
  return masks;
}

/** Logits [n, height, width, classes] at other numbers of rows and columns, bilinearly between the centres of cells. */
export function resizedLogits(
  values: Float32Array,
  [height, width, classes]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
): Float32Array {
  if (height === rows && width === columns) return values;
  const each = height * width * classes;
  const out = new Float32Array((values.length / each) * rows * columns * classes);
  const [down, across] = [between(height, rows), between(width, columns)];
  let at = 0;
  for (let sample = 0; sample < values.length; sample += each)
    for (const y of down)
      for (const x of across)
        for (let c = 0; c < classes; c++) {
          const on = (row: number): number => {
            const [left, right] = [x.low, x.high].map(
              (column) => values[sample + (row * width + column) * classes + c]!,
            );
            return left! + (right! - left!) * x.share;
          };
          const [above, below] = [on(y.low), on(y.high)];
          out[at++] = above + (below - above) * y.share;
        }
  return out;
}
