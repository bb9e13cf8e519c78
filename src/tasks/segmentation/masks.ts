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
function between(cells: number, stride: number): Between[] {
  return Array.from({ length: cells * stride }, (_, pixel) => {
    const place = Math.max(0, (pixel + 0.5) / stride - 0.5);
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
  const [down, across] = [between(rows, stride), between(columns, stride)];
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
