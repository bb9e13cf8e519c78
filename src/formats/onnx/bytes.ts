import { dataTypes, RESHAPING, tensor, tensorData } from './model.ts';
import type { Model, OnnxGraph, ValueInfo } from './model.ts';

const BYTES: ReadonlySet<string | undefined> = new Set(['uint8', 'int8']);
const SHORT: ReadonlySet<string> = new Set(['uint8', 'int8', 'uint16', 'int16']);
/** Ops that only move numbers. */
const MOVING = [...RESHAPING, 'Transpose', 'Slice'];
/** Types that represent all 8-bit numbers. */
const WIDE: ReadonlySet<number> = new Set(
  (['float32', 'float16', 'float64', 'int32', 'int64'] as const).map((dtype) => dataTypes[dtype]),
);

/** Byte inputs, such as pixels of a model that contains its own preparation. */
export function byteInputs({ graph }: Model): ValueInfo[] {
  return graph.inputs.filter(({ dtype }) => BYTES.has(dtype));
}

/**
 * The model with int32 instead of byte inputs, with the same values. Only for inputs that are cast to a wider type before any computation, because
 * bytes wrap around; other inputs are unchanged.
 */
export function withWideInputs(model: Model): Model {
  const { graph } = model;
  const wide = new Set(byteInputs(model).filter(({ name }) => isCast(graph, name)));
  if (wide.size === 0) return model;
  const inputs = graph.inputs.map((input) => (wide.has(input) ? { ...input, dtype: 'int32' as const } : input));
  return { ...model, graph: { ...graph, inputs } };
}

/** The model with int32 instead of stored integers of 8 or 16 bits that are cast before any computation, as weights are whose scales the file multiplies. */
export function withWideTensors(model: Model): Model {
  const { graph } = model;
  const initializers = graph.initializers.map((stored) => {
    const data = SHORT.has(stored.dtype) && isCast(graph, stored.name) ? tensorData(stored) : undefined;
    return data === undefined ? stored : tensor(stored.name, 'int32', stored.dims, Int32Array.from(data, Number));
  });
  return { ...model, graph: { ...graph, initializers } };
}

function isCast(graph: OnnxGraph, value: string): boolean {
  if (graph.outputs.some(({ name }) => name === value)) return false;
  // A graph inside a node may also read the input.
  if (graph.nodes.some(({ attrs }) => [...attrs.values()].some(({ type }) => type === 'graph'))) return false;
  return graph.nodes
    .filter(({ inputs }) => inputs.includes(value))
    .every(({ op, inputs, outputs, attrs }) => {
      if (op === 'Cast') return WIDE.has(Number(attrs.get('to')?.value));
      return MOVING.includes(op) && inputs.indexOf(value) === 0 && isCast(graph, outputs[0]!);
    });
}
