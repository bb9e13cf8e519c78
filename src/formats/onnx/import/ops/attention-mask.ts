import type { Shape } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { intAttr } from '../attrs.ts';
import type { Import } from '../context.ts';

interface Given {
  /** Mask input of the node, '' for none: bool (true: attend), or float32 that is added. */
  readonly mask: string;
  /** Input with the number of filled places of K for each sample, '' for none. */
  readonly lengths: string;
  /** Places of K that lie before the first one of Q. */
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** Terms that are added to the scores, and masks of the scores that count; both broadcast to [batch, heads, rows, columns]. */
export interface Masks {
  readonly bias: string | undefined;
  readonly allowed: readonly string[];
}

/** float32's lowest number: of a score that does not count, softmax gives 0. */
const LOWEST = -3.4028234663852886e38;

/** Masks merged from everything in a node that says which places may be attended to. */
export function mergeMasks(node: OnnxNode, c: Import, given: Given): Masks {
  const { mask, lengths, rows, columns } = given;
  const allowed: string[] = [];
  let bias: string | undefined;
  if (mask !== '') {
    const value = padded(c, c.plain(mask), columns);
    if (c.builder.typeOf(value).dtype === 'bool') allowed.push(value);
    else {
      bias = value;
      // An infinite one would make a row of nothing but such ones no number.
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
    // How far a place of K lies behind that of Q, which is filled - rows further than its number.
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

/** A mask for the first places alone: the others do not count. */
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

/** Scores with their masks, and their softmax, with zeros where nothing may be attended to. */
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
