import { UserError } from '../../../base/errors.ts';
import type { Quantization } from '../../../graph/quantization.ts';
import type { Graph, Node } from '../../../graph/types.ts';
import type { TfliteBatch, TfliteLowering } from './context.ts';
import { LoweringContext } from './context.ts';
import { elementwise } from './elementwise.ts';
import { linear } from './linear.ts';
import { norm } from './norm.ts';
import type { Program } from './program.ts';
import { reduce } from './reduce.ts';
import { shape } from './shape.ts';

/** Lowering of each op to TFLite's built-in operators. */
export const lowerings: Readonly<Record<string, TfliteLowering>> = {
  ...elementwise,
  ...linear,
  ...norm,
  ...reduce,
  ...shape,
};

const NO_BUILTIN = 'TFLite has no built-in operator for it. Replace it in the model, or export to ONNX.';
const TRAINING = 'It belongs to a training step: export the inference graph.';

/** Ops that cannot be lowered, with the remedy. */
export const unsupported: Readonly<Record<string, string>> = {
  Acos: NO_BUILTIN,
  Acosh: NO_BUILTIN,
  Asin: NO_BUILTIN,
  Asinh: NO_BUILTIN,
  Atan: NO_BUILTIN,
  Atanh: NO_BUILTIN,
  Erf: NO_BUILTIN,
  BitwiseAnd: NO_BUILTIN,
  Cumprod: NO_BUILTIN,
  EluGrad: TRAINING,
  ReluGrad: TRAINING,
  Relu6Grad: TRAINING,
  FakeQuant: TRAINING,
  FakeQuantGrad: TRAINING,
  Conv2DBackpropFilter: TRAINING,
  DepthwiseConv2dNativeBackpropInput: TRAINING,
  DepthwiseConv2dNativeBackpropFilter: TRAINING,
  MaxPoolGrad: TRAINING,
  AvgPoolGrad: TRAINING,
  BatchNormTrain: TRAINING,
  BatchNormTrainGrad: TRAINING,
  ResizeBilinearGrad: TRAINING,
  ResizeNearestNeighborGrad: TRAINING,
};

/**
 * Lowers a graph to TFLite's operators, node by node. The state of a stream becomes an input of the program, and its next content an output, until
 * they are made variables.
 */
export function lower(
  graph: Graph,
  batch: TfliteBatch,
  quantization: Quantization = new Map(),
  isStream = false,
): Program {
  if (graph.updates.size > 0 && !isStream)
    throw new UserError(`the graph updates ${graph.updates.size} variables: it is a training step`, TRAINING);
  const state = [...graph.state.keys()].find((name) => !graph.updates.has(name));
  if (state !== undefined) throw new Error(`state ${state} must be a constant before it is lowered to TFLite`);
  const context = new LoweringContext(graph, batch, quantization);
  const { program } = context;
  for (const [name, { dtype, shape: dims }] of [...graph.inputs, ...graph.state]) {
    program.inputs.set(name, context.bind(name, { dtype, shape: context.fixed(dims) }));
  }
  for (const [name, { type, data }] of graph.constants) context.bind(name, type, data);
  for (const node of graph.nodes) {
    context.node = node;
    lowering(node)(context);
  }
  for (const [name, value] of graph.outputs) program.outputs.set(name, context.resolve(value));
  for (const [name, value] of graph.updates) {
    const next = `${name}/next`;
    program.pasts.set(name, next);
    program.outputs.set(next, context.resolve(value));
  }
  separateOutputs(program);
  return program;
}

function lowering(node: Node): TfliteLowering {
  const found = Object.hasOwn(lowerings, node.op) ? lowerings[node.op] : undefined;
  if (found !== undefined) return found;
  const where = node.layer === undefined ? node.outputs[0]! : `layer ${node.layer}`;
  throw new UserError(`${where}: ${node.op} cannot be exported to TFLite`, unsupported[node.op] ?? NO_BUILTIN);
}

/** Makes each output a tensor of its own computed by an operation: interpreters accept no input, constant or other output. */
function separateOutputs(program: Program): void {
  const computed = program.producers();
  const loweredValues = new Set<string>();
  for (const [name, value] of program.outputs) {
    if (computed.has(value) && !loweredValues.has(value)) {
      loweredValues.add(value);
      continue;
    }
    const { type } = program.value(value);
    const copy = program.add(`${value}/copy`, { type });
    const sizes = program.ints(
      type.shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      'shape',
    );
    program.operations.push({ op: 'RESHAPE', inputs: [value, sizes], outputs: [copy] });
    program.outputs.set(name, copy);
  }
}
