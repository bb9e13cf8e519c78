import type { DenseScales } from '../../../graph/quantization.ts';
import { channelAxis, weightInputs } from '../fuse/affine.ts';
import type { Program } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { quantized, weightQuantization } from './weights.ts';

/** The converter's own limit: smaller filters gain nothing. */
const SMALLEST = 1024;

/**
 * Weights as int8, activations as float32 that the kernels quantize as they go. Each output channel of a convolution has a
 * scale of its own; with `dense: 'channel'` each output of a fully connected layer too.
 */
export function quantizeDynamic(
  program: Program,
  dense: DenseScales,
  keepFloat: (layer: string) => boolean,
): Skipped[] {
  const skipped: Skipped[] = [];
  const done = new Map<string, string>();
  program.operations = program.operations.map((operation) => {
    const { filter } = weightInputs(operation.op);
    const name = operation.inputs[filter];
    if (channelAxis[operation.op] === undefined || name === undefined) return operation;
    if (keepFloat(operation.layer ?? operation.outputs[0]!)) return operation;
    const value = program.value(name);
    if (!(value.data instanceof Float32Array)) return operation;
    if (value.data.length < SMALLEST) {
      skipped.push({
        what: operation.layer ?? name,
        why: `its ${value.data.length} weights are too few to gain from int8`,
      });
      return operation;
    }
    const key = `${operation.op} ${name}`;
    let stored = done.get(key);
    if (stored === undefined) {
      const quantization = weightQuantization(operation.op, value, dense);
      const shape = value.type.shape as readonly number[];
      const data = quantized(value.data, shape, quantization, true);
      stored = program.add(`${name}/int8`, { type: { dtype: 'int8', shape }, data, quantization });
      done.set(key, stored);
    }
    const inputs = operation.inputs.map((input, i) => (i === filter ? stored : input));
    if (operation.op !== 'FULLY_CONNECTED') return changed(operation, { inputs });
    return changed(operation, { inputs, options: { ...operation.options!, asymmetricQuantizeInputs: true } });
  });
  return skipped;
}
