import { clipped, nearest, UserError } from '../../base/errors.ts';
import type { Dim, Graph } from '../../graph/types.ts';
import { Import } from './import/context.ts';
import type { Importer } from './import/context.ts';
import { elementwiseImporters } from './import/elementwise.ts';
import { linearImporters } from './import/linear.ts';
import { shapeImporters } from './import/shape.ts';
import type { Model, OnnxTensor, ValueInfo } from './model.ts';

const importers: Readonly<Record<string, Importer>> = {
  ...linearImporters,
  ...elementwiseImporters,
  ...shapeImporters,
};

/** ONNX operators that can be read. */
export const importedOps: readonly string[] = Object.keys(importers).sort();

/**
 * A float32 ONNX model as an inference graph: inputs and outputs keep their names and layouts, layers are called what the
 * nodes are. The first axis of an input is the batch where the file leaves it open. `UserError`, naming the node, for an
 * operator that is not known, and for what cannot be read of a known one.
 */
export function importOnnx(model: Model, file: string): Graph {
  const { graph, opsets } = model;
  refuseUnknown(model, file);
  const tensors = new Map<string, OnnxTensor>(graph.initializers.map((t) => [t.name, t]));
  for (const { op, outputs, attrs } of graph.nodes) {
    const value = op === 'Constant' ? attrs.get('value') : undefined;
    if (value?.type === 'tensor') tensors.set(outputs[0]!, { ...value.value, name: outputs[0]! });
  }
  const c = new Import(file, opsets.get('') ?? opsets.get('ai.onnx') ?? 1, tensors);
  for (const input of graph.inputs) {
    if (tensors.has(input.name)) continue;
    c.define(input.name, { plain: c.builder.input(input.name, { dtype: 'float32', shape: shapeOf(input, file) }) });
  }
  for (const node of graph.nodes) {
    if (tensors.has(node.outputs[0]!)) continue;
    c.enter(node);
    importers[node.op]!(node, c);
  }
  for (const { name } of graph.outputs) c.builder.output(name, c.plain(name));
  try {
    return c.builder.build();
  } catch (error) {
    throw new UserError(
      `${file}: its operators do not fit each other: ${clipped((error as Error).message)}`,
      'Check the file with onnx.checker, and export the model again.',
      { cause: error },
    );
  }
}

function refuseUnknown({ graph }: Model, file: string): void {
  const unknown = graph.nodes.find(({ op, domain }) => {
    const isOwn = domain === '' || domain === 'ai.onnx';
    return !isOwn || !Object.hasOwn(importers, op);
  });
  if (unknown === undefined) return;
  const { op, domain, name, outputs } = unknown;
  const full = domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
  const isQuantized = /Quantize|Integer|QLinear/.test(op);
  const meant = nearest(op, importedOps);
  throw new UserError(
    `${file}: node ${name || outputs[0]!}: the operator ${full} is not known here`,
    isQuantized
      ? 'This file is quantized already: start from the float32 model.'
      : `Known are ${importedOps.length} operators${meant === undefined ? '' : `, among them ${meant}`}; see docs/compression.md.`,
  );
}

function shapeOf({ name, dtype, dims }: ValueInfo, file: string): Dim[] {
  const fail = (received: string): never => {
    throw new UserError(
      `${file}: input ${name}: expected float32 of a known shape (the batch may stay open), received ${received}`,
      'Export the model with fixed sizes for everything but the batch.',
    );
  };
  if (dtype !== 'float32') fail(dtype ?? 'no type');
  if (dims === undefined) return fail('no shape');
  return dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    return axis === 0 ? 'batch' : fail(`[${dims.map((one) => one ?? '?').join(', ')}]`);
  });
}
