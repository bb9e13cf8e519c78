import type { DenseScales } from '../../../graph/quantization.ts';
import { CHANNEL_AXES, weightInputs } from '../fuse/affine.ts';
import type { Operation, Program } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { magnitudes, symmetric } from '../../../graph/quantization.ts';
import { quantized, weightQuantization } from './weights.ts';

/** Minimum elements of a quantized filter, as in Google's converter: smaller ones gain nothing. */
const SMALLEST = 1024;

/**
 * Quantizes weights to int8; kernels quantize float32 activations at run time. Each output channel of a convolution has a scale of its own; with
 * `dense: 'channel'` each output of a fully connected layer too, and always each row of an embedding table.
 */
export function quantizeDynamic(
  program: Program,
  dense: DenseScales,
  keepFloat: (layer: string) => boolean,
): Skipped[] {
  const skipped: Skipped[] = [];
  const done = new Map<string, string>();
  program.operations = program.operations.flatMap((operation): Operation | Operation[] => {
    if (operation.op === 'GATHER') return storedRows(program, operation, done, keepFloat) ?? operation;
    const { filter } = weightInputs(operation.op);
    const name = operation.inputs[filter];
    if (CHANNEL_AXES[operation.op] === undefined || name === undefined) return operation;
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

/**
 * Look-up of rows in a stored table, which becomes int8 with a scale for each row; undefined for other look-ups. No kernel supports scales for rows,
 * so integers and scales are looked up separately and multiplied.
 */
function storedRows(
  program: Program,
  { inputs, outputs, options, layer }: Operation,
  done: Map<string, string>,
  keepFloat: (layer: string) => boolean,
): Operation[] | undefined {
  const [table, ids] = inputs as [string, string];
  const output = outputs[0]!;
  const { data, type } = program.value(table);
  const isPlain = options?.['axis'] === 0 && (options['batchDims'] ?? 0) === 0 && type.shape.length === 2;
  if (!(data instanceof Float32Array) || !isPlain || data.length < SMALLEST || keepFloat(layer ?? output))
    return undefined;
  const shape = type.shape as readonly number[];
  const scales = symmetric(magnitudes(data, shape, 0), 'int8', 0);
  // The plain integers: the rows' scales are a separate factor.
  const quantization = { dtype: 'int8', scales: [1], zeroPoints: [0] } as const;
  const stored = (key: string, make: () => string): string => {
    const found = done.get(key) ?? make();
    done.set(key, found);
    return found;
  };
  const rows = stored(`rows ${table}`, () =>
    program.add(`${table}/rows`, {
      type: { dtype: 'int8', shape },
      data: quantized(data, shape, scales, true),
      quantization,
    }),
  );
  const factors = stored(`scales ${table}`, () =>
    program.constant({ dtype: 'float32', shape: [shape[0]!, 1] }, Float32Array.from(scales.scales), `${table}/scales`),
  );
  const outputShape = program.type(output).shape;
  const value = (name: string, dtype: 'int8' | 'float32', of = outputShape): string =>
    program.add(`${output}/${name}`, { type: { dtype, shape: of }, ...(dtype === 'int8' && { quantization }) });
  const [integers, floats, factor] = [
    value('rows', 'int8'),
    value('float', 'float32'),
    value('scale', 'float32', [...outputShape.slice(0, -1), 1]),
  ] as [string, string, string];
  const operationParts = { ...(options !== undefined && { options }), ...(layer !== undefined && { layer }) };
  return [
    { op: 'GATHER', inputs: [rows, ids], outputs: [integers], ...operationParts },
    { op: 'DEQUANTIZE', inputs: [integers], outputs: [floats] },
    { op: 'GATHER', inputs: [factors, ids], outputs: [factor], ...operationParts },
    {
      op: 'MUL',
      inputs: [floats, factor],
      outputs: [output],
      options: { type$: 'MulOptions', fusedActivationFunction: 0 },
    },
  ];
}
