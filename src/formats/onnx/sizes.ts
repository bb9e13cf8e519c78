import { UserError } from '../../base/errors.ts';
import { tensor } from './model.ts';
import type { Model, OnnxDim, OnnxTensor, ValueInfo } from './model.ts';

/** Shape of an input, with `batch` for an open first axis, or a constant value for it. */
export type InputShape = readonly (number | 'batch')[] | { readonly value: number };

/** Requested shapes or values of inputs, by name. */
export type InputShapes = ReadonlyMap<string, InputShape>;

const isValue = (shape: InputShape | undefined): shape is { readonly value: number } =>
  shape !== undefined && 'value' in shape;

/**
 * The model with fixed sizes for open axes of its inputs, and with stored numbers instead of inputs that have a value. A named size is replaced
 * wherever the file names it. `UserError` for an unknown input, and for a shape or value that does not fit it.
 */
export function withInputShapes(model: Model, shapes: InputShapes, file: string): Model {
  if (shapes.size === 0) return model;
  const { graph } = model;
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
  const unknown = [...shapes.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined)
    throw new UserError(
      `${file}: a ${isValue(shapes.get(unknown)) ? 'value' : 'shape'} is given for ${unknown}, which is not an input of the model`,
      `Its inputs are ${inputs.map(({ name }) => name).join(', ')}.`,
    );
  const named = new Map<string, number>();
  const fed = inputs.filter(({ name }) => !isValue(shapes.get(name)));
  const sizedInputs = fed.map((input): ValueInfo => {
    const shape = shapes.get(input.name);
    return shape === undefined || isValue(shape) ? input : { ...input, dims: shaped(input, shape, named, file) };
  });
  const settled = (value: ValueInfo): ValueInfo => ({
    ...value,
    ...(value.dims !== undefined && {
      dims: value.dims.map((dim) => (typeof dim === 'string' ? (named.get(dim) ?? dim) : dim)),
    }),
  });
  const fixed = inputs.flatMap((input) => {
    const shape = shapes.get(input.name);
    return isValue(shape) ? [valued(settled(input), shape.value, file)] : [];
  });
  // Drops the exporter's notes on inner values, which may hold for other sizes.
  return {
    ...model,
    graph: {
      ...graph,
      initializers: [...graph.initializers, ...fixed],
      inputs: [...sizedInputs.map(settled), ...graph.inputs.filter(({ name }) => stored.has(name))],
      outputs: graph.outputs.map(settled),
      valueInfos: [],
    },
  };
}

/** Stored tensor for an input whose numbers all have one value. */
function valued({ name, dtype, dims = [] }: ValueInfo, value: number, file: string): OnnxTensor {
  const size = dims.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : NaN), 1);
  const isWhole = Number.isInteger(value);
  if (
    Number.isNaN(size) ||
    (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64' && dtype !== 'bool') ||
    (dtype !== 'float32' && !isWhole)
  )
    throw new UserError(
      `${file}: input ${name} is ${dtype ?? 'no tensor'} [${dims.map((dim) => dim ?? '?').join(', ')}], received the value ${value} for it`,
      'Give a whole value to inputs of integers, and a size to each open axis that other inputs share, the batch of lengths too: --shape.',
    );
  const shape = dims as readonly number[];
  if (dtype === 'int64') return tensor(name, dtype, shape, new BigInt64Array(size).fill(BigInt(value)));
  const numbers = new (dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array)(size);
  return tensor(name, dtype, shape, numbers.fill(dtype === 'bool' ? Number(value !== 0) : value));
}

function shaped(
  { name, dims }: ValueInfo,
  shape: readonly (number | 'batch')[],
  named: Map<string, number>,
  file: string,
): readonly OnnxDim[] {
  const shapeText = dims?.map((dim) => dim ?? '?').join(', ') ?? 'of any shape';
  const misfit = (fact: string, hint = 'Give a size for each of its axes, in their order.'): never => {
    throw new UserError(`${file}: input ${name} is [${shapeText}], ${fact}`, hint);
  };
  if (dims !== undefined && dims.length !== shape.length) misfit(`received a shape of ${shape.length} sizes`);
  return shape.map((size, axis) => {
    const before = dims?.[axis] ?? null;
    if (size === 'batch') return typeof before === 'number' ? misfit(`received batch for its axis ${axis}`) : 'batch';
    if (typeof before === 'number' && before !== size)
      misfit(
        `received ${size} for its axis ${axis}`,
        `The file fixes that size: give ${before} there, and sizes of your own for the open ones alone.`,
      );
    if (typeof before === 'string') {
      if ((named.get(before) ?? size) !== size) misfit(`received ${named.get(before)!} and ${size} for ${before}`);
      named.set(before, size);
    }
    return size;
  });
}
