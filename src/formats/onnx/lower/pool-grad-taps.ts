import { ints } from '../../../graph/ops/spec.ts';
import type { Dim, Node } from '../../../graph/types.ts';
import type { Lowering } from './context.ts';
import { NCHW, permuted } from './layout.ts';
import type { Window } from './window.ts';
import { spatial, windowOf } from './window.ts';

/**
 * Gradient of a max pooling without positions of the maxima, for providers whose MaxPool does not return them: the first element of a window, row by
 * row, that equals the maximum takes the gradient.
 */
export function maxPoolGradByTaps(node: Node, c: Lowering): void {
  const [dy, x, y] = node.inputs as [string, string, string];
  const window = windowOf(node.attrs);
  const [rows, columns] = ints(node.attrs, 'filterSize') as [number, number];
  const taps = new Taps(c, x, spatial(c.shapeOf(y)), [rows, columns], window);
  const [gradient, maxima] = [c.as(dy, NCHW), c.as(y, NCHW)];
  const zero = c.scalar('float32', 0);
  let free: string | undefined;
  let sum: string | undefined;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const equal = c.one('Equal', [taps.read(row, column), maxima]);
      const takes = free === undefined ? equal : c.one('And', [equal, free]);
      const part = taps.spread(c.one('Where', [takes, gradient, zero]), row, column);
      sum = sum === undefined ? part : c.one('Add', [sum, part]);
      const other = c.one('Not', [equal]);
      free = free === undefined ? other : c.one('And', [free, other]);
    }
  }
  c.define(node.outputs[0]!, taps.cropped(sum!), NCHW);
}

/** Reads one position of every window, and spreads values back. The padded input is as large as the windows reach. */
class Taps {
  readonly #c: Lowering;
  readonly #padded: string;
  readonly #window: Window;
  readonly #small: readonly [number, number];
  readonly #large: readonly [number, number];
  readonly #size: readonly [number, number];
  readonly #outer: readonly [Dim, number];

  constructor(c: Lowering, x: string, small: [number, number], filter: [number, number], window: Window) {
    const [batch, channels, height, width] = permuted(c.shapeOf(x), NCHW) as [Dim, number, number, number];
    this.#c = c;
    this.#window = window;
    this.#small = small;
    this.#large = [height, width];
    this.#outer = [batch, channels];
    const reach = (i: 0 | 1): number =>
      Math.max(
        (small[i] - 1) * window.strides[i] + filter[i],
        this.#large[i] + window.pads[2 * i]!,
        // Spreading needs whole strides.
        filter[i] - 1 + small[i] * window.strides[i],
      );
    this.#size = [reach(0), reach(1)];
    const [top, , left] = window.pads;
    const after = [this.#size[0] - height - top, this.#size[1] - width - left];
    const amounts = c.ints([0, 0, top, left, 0, 0, after[0]!, after[1]!]);
    this.#padded = c.one('Pad', [c.as(x, NCHW), amounts, c.scalar('float32', -Infinity)], { mode: 'constant' });
  }

  /** Element (row, column) of every window, [batch, channels, ...small]. */
  read(row: number, column: number): string {
    const c = this.#c;
    const { strides } = this.#window;
    const begin = [row, column];
    const end = begin.map((from, i) => from + (this.#small[i]! - 1) * strides[i]! + 1);
    return c.one('Slice', [this.#padded, c.ints(begin), c.ints(end), c.ints([2, 3]), c.ints(strides)]);
  }

  /** Values at their positions in the padded input, zeros elsewhere. */
  spread(values: string, row: number, column: number): string {
    const c = this.#c;
    const [rows, columns] = this.#small;
    const [down, right] = this.#window.strides;
    const apart = [...this.#outer, rows, 1, columns, 1];
    let tensor = c.reshape(values, [...this.#outer, rows, columns], apart);
    if (down > 1 || right > 1) {
      const amounts = c.ints([0, 0, 0, 0, 0, 0, 0, 0, 0, down - 1, 0, right - 1]);
      tensor = c.one('Pad', [tensor, amounts], { mode: 'constant' });
    }
    const [height, width] = [rows * down, columns * right];
    tensor = c.reshape(tensor, [...this.#outer, rows, down, columns, right], [...this.#outer, height, width]);
    const [bottom, end] = [this.#size[0] - row - height, this.#size[1] - column - width];
    return c.one('Pad', [tensor, c.ints([0, 0, row, column, 0, 0, bottom, end])], { mode: 'constant' });
  }

  cropped(tensor: string): string {
    const c = this.#c;
    const [top, , left] = this.#window.pads;
    const [height, width] = this.#large;
    return c.one('Slice', [tensor, c.ints([top, left]), c.ints([top + height, left + width]), c.ints([2, 3])]);
  }
}
