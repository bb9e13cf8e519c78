import { dataTypes } from '../model.ts';
import type { OnnxNode } from '../model.ts';
import { attr, ignore } from './attrs.ts';
import type { Import, Importer } from './context.ts';

const same: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const sizes = c.sizesOf(x);
  if (sizes !== undefined) c.defineSizes(node.outputs[0]!, sizes.values, sizes.isScalar);
  else c.define(node.outputs[0]!, c.liesChannelsLast(x) ? { nhwc: c.nhwc(x) } : { plain: c.plain(x) });
};

/** In inference, which is what is read, nothing is dropped. */
const dropout: Importer = (node, c) => {
  const [, , training = ''] = node.inputs as [string, string?, string?];
  ignore(node, 'ratio', 'seed');
  if (c.opset < 7 && Number(attr(node, c, 'is_test', 'int') ?? 0) === 0) inTraining(c);
  if (training !== '' && c.number(training, 'training_mode') !== 0) inTraining(c);
  same(node, c);
};

function inTraining(c: Import): never {
  return c.fail('it drops values at random: it is in training mode', 'Export the model in evaluation mode.');
}

const cast: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const to = typeOf(node, c);
  // Both are about types of 8 bits.
  ignore(node, 'saturate', 'round_mode');
  const stored = c.stored(x);
  if (to === 'float32' && stored !== undefined && stored.type.dtype !== 'float32') {
    const values = Float32Array.from(stored.data as ArrayLike<number | bigint>, Number);
    c.define(node.outputs[0]!, { plain: c.constant(values, stored.type.shape as number[]) });
    return;
  }
  const isInteger = to === 'int64' || to === 'int32';
  if (c.sizesOf(x) === undefined ? to !== 'float32' : !isInteger)
    c.fail(`to ${to}; expected to float32, or of sizes to int64`);
  same(node, c);
};

function typeOf(node: OnnxNode, c: Import): string {
  if (c.opset < 6) return (attr(node, c, 'to', 'string') ?? 'FLOAT').toLowerCase().replace(/^float$/, 'float32');
  const number = Number(attr(node, c, 'to', 'int'));
  return Object.entries(dataTypes).find(([, known]) => known === number)?.[0] ?? `type ${number}`;
}

/** What hands its input on. */
export const passingImporters: Readonly<Record<string, Importer>> = {
  Identity: same,
  Dropout: dropout,
  Cast: cast,
};
