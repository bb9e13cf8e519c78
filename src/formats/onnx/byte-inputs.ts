import { dataTypes, RESHAPING } from './model.ts';
import type { Model, OnnxGraph, ValueInfo } from './model.ts';

const BYTES: ReadonlySet<string | undefined> = new Set(['uint8', 'int8']);
/** Ops that hand numbers on as they are. */
const MOVING = [...RESHAPING, 'Transpose', 'Slice'];
/** Types that hold all numbers of 8 bits. */
const WIDE: ReadonlySet<number> = new Set(
  (['float32', 'float16', 'float64', 'int32', 'int64'] as const).map((dtype) => dataTypes[dtype]),
);

/** Inputs that are fed bytes, such as the pixels of pictures where the preparation is part of the file. */
export function byteInputs({ graph }: Model): ValueInfo[] {
  return graph.inputs.filter(({ dtype }) => BYTES.has(dtype));
}

/**
 * The model with inputs of int32 in place of bytes, which are fed the same numbers. Only where they are cast to a wider type before anything
 * is computed with them, since bytes wrap around; any other input stays as it is.
 */
export function withWideInputs(model: Model): Model {
  const { graph } = model;
  const wide = new Set(byteInputs(model).filter(({ name }) => isCast(graph, name)));
  if (wide.size === 0) return model;
  const inputs = graph.inputs.map((input) => (wide.has(input) ? { ...input, dtype: 'int32' as const } : input));
  return { ...model, graph: { ...graph, inputs } };
}

function isCast(graph: OnnxGraph, value: string): boolean {
  if (graph.outputs.some(({ name }) => name === value)) return false;
  // A graph inside a node may read it too.
  if (graph.nodes.some(({ attrs }) => [...attrs.values()].some(({ type }) => type === 'graph'))) return false;
  return graph.nodes
    .filter(({ inputs }) => inputs.includes(value))
    .every(({ op, inputs, outputs, attrs }) => {
      if (op === 'Cast') return WIDE.has(Number(attrs.get('to')?.value));
      return MOVING.includes(op) && inputs.indexOf(value) === 0 && isCast(graph, outputs[0]!);
    });
}
