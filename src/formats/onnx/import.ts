import { clipped, nearest, UserError } from '../../base/errors.ts';
import type { Dim, Graph, TensorType } from '../../graph/types.ts';
import { Import } from './import/context.ts';
import type { Importer } from './import/context.ts';
import { activationImporters } from './import/activations.ts';
import { choiceImporters } from './import/choose.ts';
import { convImporters } from './import/conv.ts';
import { einsumImporters } from './import/einsum.ts';
import { elementwiseImporters } from './import/elementwise.ts';
import { foldedOnly, foldOf } from './import/fold/table.ts';
import { linearImporters } from './import/linear.ts';
import { normImporters } from './import/norm.ts';
import { padImporters } from './import/pad.ts';
import { partImporters } from './import/parts.ts';
import { passingImporters } from './import/passing.ts';
import { poolImporters } from './import/pool.ts';
import { recurrentImporters } from './import/recurrent.ts';
import { reduceImporters } from './import/reduce.ts';
import { resizeImporters } from './import/resize.ts';
import { shapeImporters } from './import/shape.ts';
import type { Model, OnnxTensor, ValueInfo } from './model.ts';
import { widened } from './widen.ts';

const importers: Readonly<Record<string, Importer>> = {
  ...padImporters,
  ...resizeImporters,
  ...reduceImporters,
  ...activationImporters,
  ...choiceImporters,
  ...recurrentImporters,
  ...einsumImporters,
  ...convImporters,
  ...linearImporters,
  ...poolImporters,
  ...normImporters,
  ...elementwiseImporters,
  ...passingImporters,
  ...shapeImporters,
  ...partImporters,
  ...foldedOnly,
};

/** ONNX operators that can be read. */
export const importedOps: readonly string[] = Object.keys(importers).sort();

/**
 * An ONNX model of float32 or float16 as an inference graph in float32: inputs and outputs keep their names and layouts, layers are called what the
 * nodes are. The first axis of an input is the batch where the file leaves it open. `UserError`, naming the node, for an
 * operator that is not known, and for what cannot be read of a known one.
 */
export function importOnnx(model: Model, file: string): Graph {
  const { graph, opsets } = widened(model);
  refuseUnknown(model, file);
  const tensors = new Map<string, OnnxTensor>(graph.initializers.map((t) => [t.name, t]));
  for (const { op, outputs, attrs } of graph.nodes) {
    const value = op === 'Constant' ? attrs.get('value') : undefined;
    if (value?.type === 'tensor') tensors.set(outputs[0]!, { ...value.value, name: outputs[0]! });
  }
  const fed = graph.inputs.filter(({ name }) => !tensors.has(name));
  if (fed.length === 0)
    throw new UserError(
      `${file}: expected a model with an input, received one without`,
      'Export the model with what it is fed as an input of its graph.',
    );
  const wanted = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
  const c = new Import(file, opsets.get('') ?? opsets.get('ai.onnx') ?? 1, tensors, wanted);
  for (const input of fed) {
    c.define(input.name, { plain: c.builder.input(input.name, typeOf(input, file)) });
  }
  for (const node of graph.nodes) {
    if (tensors.has(node.outputs[0]!)) continue;
    c.read(node, (asked) => (foldOf(node, c) ?? importers[node.op]!)(asked, c));
  }
  for (const { name } of graph.outputs) c.output(name);
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
      : `Known are ${importedOps.length} operators${meant === undefined ? '' : `, among them ${meant}`}: see docs/onnx-operators.md.`,
  );
}

function typeOf({ name, dtype, dims }: ValueInfo, file: string): TensorType {
  const fail = (fact: string, hint: string): never => {
    throw new UserError(`${file}: input ${name}: ${fact}`, hint);
  };
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64' && dtype !== 'bool') {
    const isFloat = dtype === 'bfloat16' || dtype === 'float64';
    return fail(
      `expected float32, int32, int64 or bool, received ${dtype ?? 'no tensor'}`,
      isFloat
        ? 'Start from the float32 model: precision is chosen when it is exported here.'
        : 'Export the part of the model that is fed one of these.',
    );
  }
  const sizes = 'Export the model with fixed sizes for everything but the batch.';
  if (dims === undefined) return fail('expected a known shape (the batch may stay open), received none', sizes);
  const shape = dims.map((dim, axis): Dim => {
    if (typeof dim === 'number') return dim;
    if (axis === 0) return 'batch';
    const received = dims.map((one) => one ?? '?').join(', ');
    return fail(`expected a known shape (the batch may stay open), received [${received}]`, sizes);
  });
  return { dtype, shape };
}
