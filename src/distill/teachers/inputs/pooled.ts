import { UserError } from '../../../base/errors.ts';

/** `mean`: over the tokens of a text or the places of a picture. `cls`: the first token. */
export type Pooling = 'mean' | 'cls';

interface PooledOptions {
  /** Default: mean. A stated pooling is refused where the output is a vector of a sample. */
  readonly pooling?: Pooling | undefined;
  /** Order of the axes of an output with places: [n, height, width, channels] or [n, channels, height, width]. */
  readonly layout?: 'nhwc' | 'nchw';
  /** [n, tokens] 1 for a token of the text, 0 for padding. Default: all count. */
  readonly mask?: ArrayLike<number>;
  /** The output in messages. */
  readonly what: string;
}

interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A vector of each sample, [n, width], from an output with several: [n, tokens, width], or a feature map. `UserError` for other shapes. */
export function pooledVectors(values: Values, { pooling: stated, layout, mask, what }: PooledOptions): Values {
  const { data, shape } = values;
  const [n = 0, ...rest] = shape;
  const pooling = stated ?? 'mean';
  if (rest.length === 1 && stated === undefined) return values;
  if (rest.length === 1)
    throw new UserError(
      `teacher.pooling: ${stated}: ${what} is [${shape.join(', ')}], a vector of each sample, of which nothing is pooled`,
      'Leave it out, or name an output with a vector for each token with `teacher.output`.',
    );
  if ((rest.length !== 2 && rest.length !== 3) || (rest.length === 3 && pooling === 'cls'))
    throw new UserError(
      `${what} is [${shape.join(', ')}], expected [batch, width], [batch, tokens, width]${pooling === 'cls' ? '' : ' or a feature map'}`,
      'Name another output with `teacher.output`, or set `teacher.pooling`.',
    );
  const isFirst = rest.length === 3 && layout === 'nchw';
  const width = isFirst ? rest[0]! : rest.at(-1)!;
  const places = rest.reduce((product, size) => product * size, 1) / width;
  const out = new Float32Array(n * width);
  for (let row = 0; row < n; row++) {
    const isCounted = (place: number): boolean =>
      pooling === 'cls' ? place === 0 : mask === undefined || mask[row * places + place] !== 0;
    let counted = 0;
    for (let place = 0; place < places; place++) {
      if (!isCounted(place)) continue;
      counted++;
      for (let i = 0; i < width; i++)
        out[row * width + i]! += data[row * places * width + (isFirst ? i * places + place : place * width + i)]!;
    }
    for (let i = 0; i < width; i++) out[row * width + i]! /= Math.max(1, counted);
  }
  return { data: out, shape: [n, width] };
}
