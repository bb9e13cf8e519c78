import { axisOf, intAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Importer } from '../context.ts';

const where: Importer = (node, c) => {
  const [condition, then, otherwise] = node.inputs as [string, string, string];
  const y = c.op('Select', [c.plain(condition), c.plain(then), c.plain(otherwise)]);
  c.define(node.outputs[0]!, { plain: y });
};

const compared =
  (op: string): Importer =>
  (node, c) => {
    const [a, b] = node.inputs as [string, string];
    c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(a), c.plain(b)]) });
  };

const tested =
  (op: string): Importer =>
  (node, c) => {
    c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(node.inputs[0]!)]) });
  };

const isInfinite: Importer = (node, c) => {
  const x = c.plain(node.inputs[0]!);
  const [below, above] = ['detect_negative', 'detect_positive'].map((name) => intAttr(node, c, name, 1) === 1);
  const zero = c.constant(Float32Array.of(0), []);
  const all = c.op('IsInf', [x]);
  const sided = (op: string): string => c.op('LogicalAnd', [all, c.op(op, [x, zero])]);
  const oneSided = above ? sided('Greater') : below ? sided('Less') : c.op('NotEqual', [all, all]);
  c.define(node.outputs[0]!, { plain: above && below ? all : oneSided });
};

/** Keeps elements above or below a diagonal, and sets others to zero, whatever their value. */
const trilu: Importer = (node, c) => {
  const [x, diagonal = ''] = node.inputs as [string, string?];
  const isUpper = intAttr(node, c, 'upper', 1) === 1;
  const by = diagonal === '' ? 0 : c.number(diagonal, 'diagonal');
  const [rows, columns] = c.shapeOf(x).slice(-2);
  if (typeof rows !== 'number' || typeof columns !== 'number')
    return c.fail('of matrices as large as the batch', FIXED_BATCH);
  const mask = Uint8Array.from({ length: rows * columns }, (_, i) => {
    const right = (i % columns) - Math.floor(i / columns);
    return Number(isUpper ? right >= by : right <= by);
  });
  const kept = c.builder.constant({ dtype: 'bool', shape: [rows, columns] }, mask);
  const value = c.plain(x);
  const { dtype } = c.builder.typeOf(value);
  const zero = c.constant(Float32Array.of(0), []);
  const none = dtype === 'float32' ? zero : c.op('Cast', [zero], { dtype });
  c.define(node.outputs[0]!, { plain: c.op('Select', [kept, value, none]) });
};

/** Values and indexes of the k largest elements along an axis. */
const topK: Importer = (node, c) => {
  const [x, count] = node.inputs as [string, string];
  const shape = c.shapeOf(x);
  const rank = shape.length;
  const axis = axisOf(intAttr(node, c, 'axis', -1), rank, c);
  const isSmallest = intAttr(node, c, 'largest', 1) === 0;
  // Unsorted results may be in any order.
  intAttr(node, c, 'sorted', 1);
  const perm = shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const swap = (value: string): string => (axis === rank - 1 ? value : c.op('Transpose', [value], { perm }));
  const k = c.number(count, 'k');
  const size = shape[axis]!;
  if (typeof size !== 'number' || k > size) c.fail(`it takes ${k} of ${size}`);
  const rows = swap(c.plain(x));
  const [values, places] = c.ops('TopK', [isSmallest ? c.op('Neg', [rows]) : rows], { k }) as [string, string];
  c.define(node.outputs[0]!, { plain: swap(isSmallest ? c.op('Neg', [values]) : values) });
  c.define(node.outputs[1] ?? '', { plain: c.op('Cast', [swap(places)], { dtype: 'int64' }) });
};

/** Importers of operators that compare and choose. */
export const choiceImporters: Readonly<Record<string, Importer>> = {
  Where: where,
  Equal: compared('Equal'),
  Greater: compared('Greater'),
  GreaterOrEqual: compared('GreaterEqual'),
  Less: compared('Less'),
  LessOrEqual: compared('LessEqual'),
  And: compared('LogicalAnd'),
  Or: compared('LogicalOr'),
  Xor: compared('NotEqual'),
  Not: tested('LogicalNot'),
  IsNaN: tested('IsNan'),
  IsInf: isInfinite,
  Trilu: trilu,
  TopK: topK,
};
