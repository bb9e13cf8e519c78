import { batchFactor } from '../../../../graph/shapes.ts';
import { axisOf, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { OnnxNode } from '../../model.ts';
import type { Fold } from './fold.ts';
import type { KnownTensor } from './known.ts';

/** Operators that preserve equal steps if one input has such integers. */
const STEADY: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Unsqueeze', 'Identity']);

const DEPENDS = 'its length depends on the batch size';

/** Importer of a node that counts samples, or reads such counts; undefined for other nodes. */
export function countedOf(node: OnnxNode, fold: Fold | undefined, c: Import): Importer | undefined {
  const limit = node.op === 'Range' ? c.knownOf(node.inputs[1])?.values[0] : undefined;
  if (limit !== undefined && typeof limit !== 'number') return (asked) => range(asked, c, batchFactor(limit));
  const operands = node.inputs.map((name) => c.counted.get(name));
  const at = operands.findIndex((one) => one !== undefined);
  if (at < 0) return undefined;
  if (node.op === 'Gather' && at === 1) return gather;
  const isSteady = STEADY.has(node.op) && operands.filter((one) => one !== undefined).length === 1;
  const others = node.inputs.every((name, i) => i === at || c.isKnown(name));
  if (fold === undefined || !isSteady || !others)
    return () => c.fail(`its input ${node.inputs[at]!} counts the samples`, FIXED_BATCH);
  return (asked) => {
    const read = (one: KnownTensor): KnownTensor =>
      fold(
        asked.inputs.map((name, i) => (i === at ? one : c.knownOf(name)!)),
        asked,
        c,
      ) as KnownTensor;
    const [first, second] = [read(operands[at]!.first), read(operands[at]!.second)];
    const isFirst =
      node.op === 'Unsqueeze'
        ? !axesIn(asked, c, first).includes(0)
        : first.dims.length === operands[at]!.first.dims.length;
    if (!isFirst || first.dims[0] !== 1) c.fail('it moves the axis of the samples', FIXED_BATCH);
    c.counted.set(asked.outputs[0]!, { first, second });
  };
}

function axesIn(node: OnnxNode, c: Import, { dims }: KnownTensor): number[] {
  const axes = c.knownOf(node.inputs[1])?.values ?? [0];
  return axes.map((axis) => axisOf(Number(axis), dims.length, c));
}

/** Indexes of the samples: 0, 1, 2, ... */
function range(node: OnnxNode, c: Import, factor: number): void {
  const [start, , delta] = [...node.inputs].map((name) => c.knownOf(name));
  if (factor !== 1 || start?.values[0] !== 0 || delta?.values[0] !== 1) c.fail(DEPENDS, FIXED_BATCH);
  const at = (value: number): KnownTensor => ({ dtype: start.dtype, dims: [1], values: [value] });
  c.counted.set(node.outputs[0]!, { first: at(0), second: at(1) });
}

/** From a row of all indexes of all samples, each sample takes its own. */
const gather: Importer = (node, c) => {
  const [x, places] = node.inputs as [string, string];
  const { first, second } = c.counted.get(places)!;
  const [all] = c.shapeOf(x);
  const size = batchFactor(all ?? 0);
  const isOwn = first.values.every(
    (value, i) => second.values[i] === Number(value) + size && Number(value) < size && Number(value) >= 0,
  );
  if (c.shapeOf(x).length !== 1 || intAttr(node, c, 'axis', 0) !== 0 || size === 0 || !isOwn)
    c.fail('it takes numbers of one sample for another', FIXED_BATCH);
  const rows = c.op('Reshape', [c.plain(x)], { shape: ['batch', size] });
  const dims = first.dims.slice(1);
  const inOrder = first.values.length === size && first.values.every((value, i) => value === i);
  const indices = (): string =>
    c.builder.constant({ dtype: 'int32', shape: dims }, Int32Array.from(first.values, Number));
  const plain = inOrder
    ? c.op('Reshape', [rows], { shape: ['batch', ...dims] })
    : c.op('GatherV2', [rows, indices()], { axis: 1, batchDims: 0 });
  c.define(node.outputs[0]!, { plain });
};
