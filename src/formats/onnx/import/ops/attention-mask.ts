import type { Shape } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { intAttr } from '../attrs.ts';
import type { Import } from '../context.ts';

interface Given {
  /** Mask input of the node ('': none): bool (true: attend), or float32 to add. */
  readonly mask: string;
  /** Input with the number of used positions of K for each sample ('': none). */
  readonly lengths: string;
  /** Number of positions of K before the first of Q. */
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** Terms to add to the scores, and masks of scores that count; both broadcast to [batch, heads, rows, columns]. */
export interface Masks {
  readonly bias: string | undefined;
  readonly allowed: readonly string[];
}

/** float32's lowest number: as score of an excluded position, its softmax is 0. */
const LOWEST = -3.4028234663852886e38;

/** Merges all masks of a node. */
export function mergeMasks(node: OnnxNode, c: Import, given: Given): Masks {
  const { mask, lengths, rows, columns } = given;
  const allowed: string[] = [];
  let bias: string | undefined;
  if (mask !== '') {
    const value = padded(c, c.plain(mask), columns);
    if (c.builder.typeOf(value).dtype === 'bool') allowed.push(value);
    else {
      bias = value;
      // With -infinity, a row of excluded positions only would become NaN.
      allowed.push(c.op('GreaterEqual', [value, c.constant(Float32Array.of(LOWEST), [])]));
    }
  }
  const isCausal = intAttr(node, c, 'is_causal', 0) === 1;
  const [left, right] = [intAttr(node, c, 'left_window_size', -1), intAttr(node, c, 'right_window_size', -1)];
  const isBounded = isCausal || left >= 0 || right >= 0;
  const after = isCausal ? 0 : right;
  if (lengths === '') {
    if (isBounded) allowed.push(window(c, { ...given, left, after, isAfter: isCausal || right >= 0 }));
    return { bias, allowed };
  }
  const filled = c.op('Reshape', [c.op('Cast', [c.plain(lengths)], { dtype: 'float32' })], {
    shape: [...c.shapeOf(lengths).slice(0, 1), 1, 1, 1],
  });
  const place = counted(c, [columns], (i) => i);
  allowed.push(c.op('Less', [place, filled]));
  if (isBounded) {
    // Distance from a position of Q to one of K; row i of Q has the position `filled - rows + i`.
    const ahead = c.op('Sub', [filled, counted(c, [], () => rows)]);
    const from = c.op('Add', [counted(c, [rows, 1], (i) => i), ahead]);
    const distance = c.op('Sub', [place, from]);
    if (isCausal || right >= 0) allowed.push(c.op('LessEqual', [distance, counted(c, [], () => after)]));
    if (left >= 0) allowed.push(c.op('GreaterEqual', [distance, counted(c, [], () => -left)]));
  }
  return { bias, allowed };
}

function counted(c: Import, shape: readonly number[], at: (i: number) => number): string {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return c.constant(
    Float32Array.from({ length: count }, (_, i) => at(i)),
    shape,
  );
}

/** Pads a mask for the first positions only: others are excluded. */
function padded(c: Import, value: string, columns: number): string {
  const { dtype, shape } = c.builder.typeOf(value);
  const missing = columns - Number(shape.at(-1));
  if (missing === 0 || shape.at(-1) === 1) return value;
  if (!(missing > 0)) return c.fail(`its mask is [${shape.join(', ')}] for ${columns} places`);
  const rest: Shape = [...shape.slice(0, -1), missing];
  const none =
    dtype === 'bool'
      ? c.builder.constant({ dtype: 'bool', shape: [] }, Uint8Array.of(0))
      : c.constant(Float32Array.of(-Infinity), []);
  return c.op('Concat', [value, c.op('BroadcastTo', [none], { shape: rest })], { axis: shape.length - 1 });
}

interface Bounds extends Given {
  readonly left: number;
  readonly after: number;
  readonly isAfter: boolean;
}

function window(c: Import, { rows, columns, offset, left, after, isAfter }: Bounds): string {
  const data = Uint8Array.from({ length: rows * columns }, (_, i) => {
    const distance = (i % columns) - (Math.floor(i / columns) + offset);
    return Number((!isAfter || distance <= after) && (left < 0 || distance >= -left));
  });
  return c.builder.constant({ dtype: 'bool', shape: [rows, columns] }, data);
}

/** Scores with masks applied, and their softmax, which is 0 at excluded positions. */
export function scoresOf(c: Import, scores: string, { bias, allowed }: Masks): { biased: string; weights: string } {
  const rank = c.builder.typeOf(scores).shape.length;
  const added = bias === undefined ? scores : c.op('Add', [scores, bias]);
  const softmax = (value: string): string => c.op('Softmax', [value], { axis: rank - 1 });
  if (allowed.length === 0) return { biased: added, weights: softmax(added) };
  const all = allowed.slice(1).reduce((a, b) => c.op('LogicalAnd', [a, b]), allowed[0]!);
  const choose = (value: string, otherwise: number): string =>
    c.op('Select', [all, value, c.constant(Float32Array.of(otherwise), [])]);
  const weights = choose(softmax(choose(added, LOWEST)), 0);
  return { biased: choose(added, -Infinity), weights };
}
