import { float, strings } from './sketch.ts';
import type { Sketch } from './sketch.ts';
import type { Layer } from './layers.ts';

const biased = (g: Sketch, y: string): string => {
  if (g.chance()) return y;
  const bias = g.weight([g.shape(y).at(-1)!], { scale: 0.3 });
  return g.op('Add', g.chance() ? [y, bias] : [bias, y]);
};

const linear: Layer = (g, x) => {
  const size = g.shape(x).at(-1)!;
  return biased(g, g.op('MatMul', [x, g.weight([size, g.int(1, 7)], { scale: 1.2 / Math.sqrt(size) })]));
};

/** A matrix from the left, or one for each channel, or a vector. */
const products: Layer = (g, x) => {
  const shape = g.shape(x);
  g.fits(shape.length > 2);
  const [rows, size] = shape.slice(-2) as [number, number];
  const scale = 1.2 / Math.sqrt(size);
  switch (g.int(0, 4)) {
    case 0:
      return g.op('MatMul', [g.weight([g.int(1, 6), rows], { scale: 1.2 / Math.sqrt(rows) }), x]);
    case 1:
      return g.op('MatMul', [x, g.weight([...shape.slice(1, -2), size, g.int(1, 5)], { scale })]);
    case 2:
      return g.op('MatMul', [g.weight([1, ...shape.slice(1, -2), g.int(1, 5), rows], { scale }), x]);
    case 3:
      return g.op('MatMul', [x, g.weight([size], { scale })]);
    default:
      return g.op('MatMul', [x, g.op('Transpose', [x], { perm: [...shape.keys()].slice(0, -2).concat(shape.length - 1, shape.length - 2) })]); // prettier-ignore
  }
};

const gemm: Layer = (g, x) => {
  const [, size] = g.shape(x) as [number, number];
  const many = g.int(1, 7);
  const isTurned = g.chance(0.2);
  const transB = g.int(0, 1);
  const weights = g.weight(transB ? [many, size] : [size, many], { scale: 1.2 / Math.sqrt(size) });
  const bias = g.chance(0.8) || g.opset < 11 ? [g.weight(g.pick([many], [1, many], [1]), { scale: 0.4 })] : [];
  return g.op('Gemm', [isTurned ? g.op('Transpose', [x], { perm: [1, 0] }) : x, weights, ...bias], {
    ...{ transB, ...(isTurned && { transA: 1 }) },
    ...(g.chance(0.4) && { alpha: float(0.7) }),
    ...(g.chance(0.4) && { beta: float(0.5) }),
  });
};

/** Scaled dot-product attention as exporters write it. */
const attention: Layer = (g, x) => {
  const [, rows, size] = g.shape(x) as [number, number, number];
  const [q, k, v] = ['q', 'k', 'v'].map(() =>
    g.op('MatMul', [x, g.weight([size, size], { scale: 1.2 / Math.sqrt(size) })]),
  ) as [string, string, string];
  const products = g.op('MatMul', [q, g.op('Transpose', [k], { perm: [0, 2, 1] })]);
  const scaled = g.chance()
    ? g.op('Mul', [products, g.floats(1 / Math.sqrt(size))])
    : g.op('Div', [products, g.floats(Math.sqrt(size))]);
  const later = (value: number): number[] =>
    Array.from({ length: rows * rows }, (_, i) => (i % rows > Math.floor(i / rows) ? value : 0));
  const masked = g.chance(0.3) ? g.op('Add', [scaled, g.table([rows, rows], later(g.pick(-1e9, -Infinity)))]) : scaled;
  return g.op('MatMul', [g.op('Softmax', [masked], { axis: 2 }), v]);
};

/** The operator Attention, of one to three heads. */
const attentionNode: Layer = (g, x) => {
  g.since(23);
  const [, rows] = g.shape(x) as [number, number, number];
  const [heads, shared] = g.pick([1, 1], [2, 2], [2, 1], [3, 1]);
  const [size, wide] = [g.int(1, 3), g.int(1, 3)];
  const of = (count: number): string => {
    const width = g.shape(x)[2]!;
    return g.op('MatMul', [x, g.weight([width, count], { scale: 1.2 / Math.sqrt(width) })]);
  };
  const inputs = [of(heads * size), of(shared * size), of(shared * wide)];
  const mask = g.chance(0.3) ? [g.table([rows, rows], [...g.normals(rows * rows)])] : [];
  return g.op('Attention', [...inputs, ...mask], {
    ...{ q_num_heads: heads, kv_num_heads: shared, is_causal: g.int(0, 1) },
    ...(g.chance(0.3) && { scale: float(0.4) }),
    ...(g.chance(0.3) && { softcap: float(1.5) }),
  });
};

const einsum: Layer = (g, x) => {
  g.since(12);
  const [, rows, size] = g.shape(x) as [number, number, number];
  const many = g.int(1, 5);
  const w = (...dims: number[]): string => g.weight(dims, { scale: 0.6 });
  const of = (equation: string, ...inputs: string[]): string => g.op('Einsum', inputs, { equation });
  switch (g.int(0, 11)) {
    case 0:
      return of('btd,do->bto', x, w(size, many));
    case 1:
      return of('to,btd->bdo', w(rows, many), x);
    case 2:
      return of('bid,bjd->bij', x, x);
    case 3:
      return of('btd,td->bdt', x, w(rows, size));
    case 4:
      return of('btd,hdo->bhto', x, w(2, size, many));
    case 5:
      return of('btd,btd->bt', x, x);
    case 6:
      return of('btd,de,ef->btf', x, w(size, 3), w(3, many));
    case 7:
      return of('btd,bte->bde', x, x);
    case 8:
      return of('...d,de->...e', x, w(size, many));
    case 9:
      return of('btd->bt', x);
    case 10:
      return of('btd,tde->be', x, w(rows, size, many));
    default:
      return of('btd,e->bet', x, w(many));
  }
};

const GATES = { LSTM: 4, GRU: 3, RNN: 1 };

const recurrent: Layer = (g, x) => {
  const [batch, rows, size] = g.shape(x) as [number, number, number];
  g.fits(rows <= 6);
  const op = g.pick('LSTM', 'GRU', 'RNN');
  const [gates, hidden] = [GATES[op], g.int(1, 4)];
  const direction = g.pick('forward', 'reverse', 'bidirectional');
  const both = direction === 'bidirectional' ? 2 : 1;
  const starts = !g.isOpen && g.chance(0.3);
  const bias = g.chance(0.7) ? g.weight([both, 2 * gates * hidden], { scale: 0.3 }) : '';
  const inputs = [
    g.op('Transpose', [x], { perm: [1, 0, 2] }),
    g.weight([both, gates * hidden, size], { scale: 0.6 }),
    g.weight([both, gates * hidden, hidden], { scale: 0.6 }),
    ...(starts ? [bias, '', g.plain([both, batch, hidden], { scale: 0.5 })] : bias === '' ? [] : [bias]),
    ...(starts && op === 'LSTM' ? [g.plain([both, batch, hidden], { scale: 0.5 })] : []),
  ];
  const one = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'], RNN: ['Relu'] }[op];
  if (op === 'LSTM' && g.chance()) one[2] = 'Relu';
  const [all, last] = g.ops(
    op,
    inputs,
    {
      ...{ hidden_size: hidden, direction },
      ...(op === 'GRU' && { linear_before_reset: g.int(0, 1) }),
      ...(g.chance(0.3) && { activations: strings(...one, ...(both === 2 ? one : [])) }),
    },
    2,
  ) as [string, string];
  if (g.chance(0.3)) return g.op('Transpose', [last], { perm: [1, 0, 2] });
  return g.op('Reshape', [g.op('Transpose', [all], { perm: [2, 0, 1, 3] }), g.ints(0, 0, -1)]);
};

export const rows: readonly Layer[] = [linear, products];
export const sequences: readonly Layer[] = [attention, attentionNode, einsum, einsum, recurrent, recurrent, recurrent];
export const vectors: readonly Layer[] = [gemm, gemm, gemm];
