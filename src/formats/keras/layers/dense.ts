import type { LayerContext, LayerRule, Size, KerasValue } from '../context.ts';
import type { KerasArray } from '../hdf5.ts';
import { activated } from './activations.ts';
import { channelsOf } from './convolutions.ts';

const dense: LayerRule = (k, [x]) => {
  const [inputs, units] = [channelsOf(k, x!), k.int('units')];
  if (k.setting('lora_rank') !== undefined && k.layer.config['lora_rank'] !== null) k.refuse('lora_rank');
  const weights = [
    k.weight('kernel', [inputs, units]),
    ...(k.flag('use_bias', true) ? [k.weight('bias', [units])] : []),
  ];
  return activated(k, product(k, x!, weights, units));
};

/** x · W + b along the last axis. */
function product(k: LayerContext, x: KerasValue, [kernel, bias]: readonly string[], units: number): KerasValue {
  const shape = [...x.shape.slice(0, -1), units];
  const value = k.last(x);
  const isMatrix = shape.length === 2;
  if (isMatrix)
    return { tensor: k.op('Gemm', [value, kernel!, ...(bias === undefined ? [] : [bias])]), shape, isFirst: false };
  const tensor = k.op('MatMul', [value, kernel!]);
  return { tensor: bias === undefined ? tensor : k.op('Add', [tensor, bias]), shape, isFirst: false };
}

const einsumDense: LayerRule = (k, [x]) => {
  const equation = k.setting('equation');
  const [, left = '', kernel = '', right = ''] =
    /^([\w.]+),(\w+)->([\w.]+)$/.exec(String(equation).replaceAll(' ', '')) ?? [];
  if (right === '') k.refuse('equation');
  // Letters of the batch and of what comes before may be three dots.
  const [from, to] = [left, right].map((letters) => letters.replaceAll('.', '')) as [string, string];
  const dots = x!.shape.slice(0, x!.shape.length - from.length);
  const sizes = new Map(Array.from(from, (letter, i) => [letter, x!.shape[dots.length + i]!]));
  const stated = k.setting('output_shape');
  const outputs = [stated].flat() as Size[];
  outputs.forEach((size, i) => {
    const letter = to.at(i - outputs.length)!;
    if (size !== null && !sizes.has(letter)) sizes.set(letter, size);
  });
  const sizeOf = (letter: string): Size => sizes.get(letter) ?? null;
  const weights = k.weight('kernel', Array.from(kernel, sizeOf));
  const axes = k.setting('bias_axes');
  const tensor = k.op('Einsum', [k.last(x!), weights], { equation: String(equation).replaceAll(' ', '') });
  const shape = [...dots, ...Array.from(to, sizeOf)];
  if (typeof axes !== 'string') return activated(k, { tensor, shape, isFirst: false });
  const first = Math.min(...Array.from(axes, (letter) => to.indexOf(letter)));
  const bias = k.weight(
    'bias',
    Array.from(to.slice(first), (letter) => (axes.includes(letter) ? sizeOf(letter) : 1)),
  );
  return activated(k, { tensor: k.op('Add', [tensor, bias]), shape, isFirst: false });
};

const embedding: LayerRule = (k, [x]) => {
  if (k.flag('mask_zero', false)) k.refuse('mask_zero');
  const size = k.int('output_dim');
  const table = k.weight('embeddings', [null, size]);
  const ids = x!.isInteger === true ? x!.tensor : k.op('Cast', [x!.tensor], { to: 6 });
  return { tensor: k.op('Gather', [table, ids], { axis: 0 }), shape: [...x!.shape, size], isFirst: false };
};

/** Vaswani et al. 2017, section 3.2.2, over [batch, length, numbers]. */
const multiHeadAttention: LayerRule = (k, inputs) => {
  const { kwargs, args } = k.call;
  for (const key of [
    'attention_mask',
    'query_mask',
    'key_mask',
    'value_mask',
    'use_causal_mask',
    'return_attention_scores',
  ])
    if (kwargs[key] !== undefined && kwargs[key] !== null && kwargs[key] !== false)
      k.fail(`cannot compute with ${key}`);
  if (args.length > 3 && args.slice(3).some((one) => one !== null && one !== false))
    k.fail('cannot compute with a mask');
  const [query, value, key = value] = inputs;
  if (query === undefined || value === undefined || key === undefined) return k.fail('expected query and value');
  for (const { shape } of [query, value, key])
    if (shape.length !== 3) k.fail(`expected inputs [batch, length, numbers], received ${shape.length} axes`);
  const [heads, depth] = [k.int('num_heads'), k.int('key_dim')];
  const own = k.setting('value_dim') as number | null | undefined;
  const valueDepth = own ?? depth;
  const axes = k.setting('attention_axes');
  if (axes !== null && axes !== undefined && JSON.stringify(Array.isArray(axes) ? axes : [axes]) !== '[1]')
    k.refuse('attention_axes');
  if (k.setting('flash_attention') === true || k.flag('use_gate', false)) k.refuse('use_gate');
  for (const unread of ['query_shape', 'key_shape', 'value_shape']) k.setting(unread);
  const stated = k.setting('output_shape');
  const units = stated === null || stated === undefined ? channelsOf(k, query) : k.list('output_shape', 1)[0]!;
  const hasBias = k.flag('use_bias', true);
  const flat =
    (rows: number) =>
    ({ data }: KerasArray): KerasArray => ({ shape: rows === 0 ? [data.length] : [rows, data.length / rows], data });
  const projected = (part: string, x: KerasValue, size: number): KerasValue => {
    const numbers = channelsOf(k, x);
    const kernel = k.weight(`${part}/kernel`, [numbers, heads, size], flat(numbers));
    const bias = hasBias ? [k.weight(`${part}/bias`, [heads, size], flat(0))] : [];
    return product(k, x, [kernel, ...bias], heads * size);
  };
  const split = ({ tensor, shape }: KerasValue, size: number): string =>
    k.op('Transpose', [k.reshaped(tensor, [shape[0]!, -1, heads, size])], { perm: [0, 2, 1, 3] });
  // WeightSource are in this order in the file.
  const [q, keys, values] = [
    projected('query', query, depth),
    projected('key', key, depth),
    projected('value', value, valueDepth),
  ];
  const scaled = k.op('Mul', [split(q, depth), k.scalar(1 / Math.sqrt(depth))]);
  const turned = k.op('Transpose', [split(keys, depth)], { perm: [0, 1, 3, 2] });
  const shares = k.op('Softmax', [k.op('MatMul', [scaled, turned])], { axis: 3 });
  const mixed = k.op('Transpose', [k.op('MatMul', [shares, split(values, valueDepth)])], { perm: [0, 2, 1, 3] });
  const whole = heads * valueDepth;
  const tensor = k.reshaped(mixed, [query.shape[0]!, -1, whole]);
  const kernel = k.weight('attention_output/kernel', [heads, valueDepth, units], flat(whole));
  const bias = hasBias ? [k.weight('attention_output/bias', [units])] : [];
  return product(k, { tensor, shape: [...query.shape.slice(0, 2), whole], isFirst: false }, [kernel, ...bias], units);
};

export const denseLayers: Readonly<Record<string, LayerRule>> = {
  Dense: dense,
  EinsumDense: einsumDense,
  Embedding: embedding,
  MultiHeadAttention: multiHeadAttention,
};
