import { UserError } from '../../base/errors.ts';
import type { Model, OnnxDim, ValueInfo } from './model.ts';

/** Shapes that inputs are to have, by their names; `batch` leaves the first axis open. */
export type InputShapes = ReadonlyMap<string, readonly (number | 'batch')[]>;

/**
 * The model with sizes for the axes of its inputs that it leaves open. A size that has a name is the same wherever the file
 * names it. `UserError` for an input that is not there, and for a shape that does not fit it.
 */
export function withInputShapes(model: Model, shapes: InputShapes, file: string): Model {
  if (shapes.size === 0) return model;
  const { graph } = model;
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
  const unknown = [...shapes.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined)
    throw new UserError(
      `${file}: a shape is given for ${unknown}, which is not an input of the model`,
      `Its inputs are ${inputs.map(({ name }) => name).join(', ')}.`,
    );
  const named = new Map<string, number>();
  const given = inputs.map((input): ValueInfo => {
    const shape = shapes.get(input.name);
    return shape === undefined ? input : { ...input, dims: shaped(input, shape, named, file) };
  });
  const settled = (value: ValueInfo): ValueInfo => ({
    ...value,
    ...(value.dims !== undefined && {
      dims: value.dims.map((dim) => (typeof dim === 'string' ? (named.get(dim) ?? dim) : dim)),
    }),
  });
  // What an exporter noted of the values between may hold for other sizes.
  return {
    ...model,
    graph: {
      ...graph,
      inputs: [...given.map(settled), ...graph.inputs.filter(({ name }) => stored.has(name))],
      outputs: graph.outputs.map(settled),
      valueInfos: [],
    },
  };
}

function shaped(
  { name, dims }: ValueInfo,
  shape: readonly (number | 'batch')[],
  named: Map<string, number>,
  file: string,
): readonly OnnxDim[] {
  const said = dims?.map((dim) => dim ?? '?').join(', ') ?? 'of any shape';
  const misfit = (fact: string): never => {
    throw new UserError(
      `${file}: input ${name} is [${said}], ${fact}`,
      'Give a size for each of its axes, in their order.',
    );
  };
  if (dims !== undefined && dims.length !== shape.length) misfit(`received a shape of ${shape.length} sizes`);
  return shape.map((size, axis) => {
    const before = dims?.[axis] ?? null;
    if (size === 'batch') return typeof before === 'number' ? misfit(`received batch for its axis ${axis}`) : 'batch';
    if (typeof before === 'number' && before !== size) misfit(`received ${size} for its axis ${axis}`);
    if (typeof before === 'string') {
      if ((named.get(before) ?? size) !== size) misfit(`received ${named.get(before)!} and ${size} for ${before}`);
      named.set(before, size);
    }
    return size;
  });
}
