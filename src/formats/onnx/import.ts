import { clipped, nearest, UserError } from '../../base/errors.ts';
import type { Dim, Graph, TensorType } from '../../graph/types.ts';
import { Import } from './import/context.ts';
import type { Importer } from './import/context.ts';
import { attentionImporters } from './import/ops/attention.ts';
import { activationImporters } from './import/ops/activations.ts';
import { choiceImporters } from './import/ops/choose.ts';
import { controlImporters, withStoredConstants } from './import/ops/control.ts';
import { convImporters } from './import/ops/conv.ts';
import { einsumImporters } from './import/ops/einsum.ts';
import { elementwiseImporters } from './import/ops/elementwise.ts';
import { foldedOnly, foldOf } from './import/fold/table.ts';
import { gridImporters } from './import/ops/grid-sample.ts';
import { indexImporters } from './import/ops/gather.ts';
import { linearImporters } from './import/ops/linear.ts';
import { normImporters } from './import/ops/norm.ts';
import { padImporters } from './import/ops/pad.ts';
import { partImporters } from './import/ops/slice-and-concat.ts';
import { passingImporters } from './import/ops/identity.ts';
import { poolImporters } from './import/ops/pool.ts';
import { recurrentImporters } from './import/ops/recurrent.ts';
import { reduceImporters } from './import/ops/reduce.ts';
import { resizeImporters } from './import/ops/resize.ts';
import { scatterImporters } from './import/ops/scatter.ts';
import { shapeImporters } from './import/ops/shape.ts';
import type { Model, OnnxNode, OnnxTensor, ValueInfo } from './model.ts';
import { withWideInputs, withWideTensors } from './bytes.ts';
import { withoutScalers } from './rewrite/scalers.ts';
import { widened } from './rewrite/widen.ts';

const importers: Readonly<Record<string, Importer>> = {
  ...padImporters,
  ...resizeImporters,
  ...reduceImporters,
  ...activationImporters,
  ...attentionImporters,
  ...gridImporters,
  ...indexImporters,
  ...scatterImporters,
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
  ...controlImporters,
  ...foldedOnly,
};

/** Supported ONNX operators. */
export const importedOps: readonly string[] = Object.keys(importers).sort();

const DAMAGED = 'Check the file with onnx.checker, and export the model again.';

/**
 * Imports a float32 or float16 ONNX model as an inference graph in float32: inputs and outputs keep names and layouts, layers are named after nodes.
 * The first axis of an input is the batch if the file leaves it open. `UserError`, naming the node, for an unknown operator, and for an unsupported
 * use of a known one. `isTrained`: keep dropout, and use int32 for byte inputs that are only cast.
 */
export function importOnnx(model: Model, file: string, { isTrained = false } = {}): Graph {
  const { graph: given, opsets } = widened(isTrained ? withWideInputs(model) : withWideTensors(model));
  const graph = withStoredConstants(withoutScalers(given));
  refuseUnknown({ ...model, graph }, file);
  const tensors = new Map<string, OnnxTensor>(graph.initializers.map((t) => [t.name, t]));
  const fed = graph.inputs.filter(({ name }) => !tensors.has(name));
  if (fed.length === 0)
    throw new UserError(
      `${file}: expected a model with an input, received one without`,
      'Export the model with what it is fed as an input of its graph.',
    );
  if (graph.outputs.length === 0)
    throw new UserError(
      `${file}: expected a model with an output, received one without`,
      'Export the model with what it answers as an output of its graph.',
    );
  const wanted = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
  const c = new Import(file, opsets.get('') ?? opsets.get('ai.onnx') ?? 1, tensors, wanted, importerOf, isTrained);
  // Names of weights in our own files may equal those of results here.
  for (const name of tensors.keys()) c.builder.reserve(name);
  for (const input of fed) {
    c.define(input.name, { plain: c.builder.input(input.name, typeOf(input, file)) });
  }
  for (const node of graph.nodes) c.read(node);
  const made = new Set([
    ...graph.nodes.flatMap(({ outputs }) => outputs),
    ...fed.map(({ name }) => name),
    ...tensors.keys(),
  ]);
  for (const { name } of graph.outputs) {
    if (!made.has(name)) throw new UserError(`${file}: its output ${name} is given by none of its nodes`, DAMAGED);
    c.output(name);
  }
  try {
    return c.builder.build();
  } catch (error) {
    throw new UserError(`${file}: its operators do not fit each other: ${clipped((error as Error).message)}`, DAMAGED, {
      cause: error,
    });
  }
}

function isKnown({ op, domain }: OnnxNode): boolean {
  return (domain === '' || domain === 'ai.onnx') && Object.hasOwn(importers, op);
}

/** Importer of a node, in the graph or inside another node; it depends on which of its inputs are known values. */
function importerOf(node: OnnxNode, c: Import): Importer {
  // For nodes of the graph itself this was checked before reading.
  if (!isKnown(node)) return c.fail('it is not known here', knownOperators(node.op));
  return foldOf(node, c) ?? importers[node.op]!;
}

function refuseUnknown({ graph, functions }: Model, file: string): void {
  const others = graph.nodes.filter((node) => !isKnown(node));
  const quantized = others.find(({ op }) => QUANTIZED.test(op));
  if (quantized !== undefined)
    throw new UserError(
      `${file}: is quantized already: node ${quantized.name || quantized.outputs[0]!} is a ${quantized.op}`,
      'Give the float32 file that it was made from. As a teacher, `teacher: { onnx: … }`, ONNX Runtime runs it as it is.',
    );
  const [unknown] = others;
  if (unknown === undefined) return;
  const { op, domain, name, outputs } = unknown;
  const full = domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
  if (functions.some((one) => one.domain === domain && one.name === op))
    throw new UserError(
      `${file}: node ${name || outputs[0]!}: ${full} is a function of the file, and functions are not read`,
      'Put their nodes in their place first: onnx.inliner.inline_local_functions(model) in Python.',
    );
  throw new UserError(
    `${file}: node ${name || outputs[0]!}: the operator ${full} is not known here`,
    domain === 'ai.onnx.ml' ? OF_TREES : knownOperators(op),
  );
}

const QUANTIZED = /quantize|Integer|QLinear|^QGemm|^QAttention|NBits/i;
const OF_TREES =
  'ONNX Runtime alone reads it. It is usable as a teacher, `teacher: { onnx: … }`, whose student is then exported.';

/** Remedy for an unknown operator. */
function knownOperators(op: string): string {
  const meant = nearest(op, importedOps);
  return `Known are ${importedOps.length} operators${meant === undefined ? '' : `, among them ${meant}`}: see docs/operators.md.`;
}

const FLOAT32_FIRST = 'Start from the float32 model: precision is chosen when it is exported here.';

function typeOf({ name, dtype, dims }: ValueInfo, file: string): TensorType {
  const fail = (fact: string, hint: string): never => {
    throw new UserError(`${file}: input ${name}: ${fact}`, hint);
  };
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64' && dtype !== 'bool') {
    const remedies: Partial<Record<string, string>> = {
      bfloat16: FLOAT32_FIRST,
      float64: FLOAT32_FIRST,
      uint8: 'Export it with a float32 example as its input: it is then fed the same numbers as float32.',
    };
    return fail(
      `expected float32, int32, int64 or bool, received ${dtype ?? 'no tensor'}`,
      remedies[dtype ?? ''] ?? 'Export the part of the model that is fed one of these.',
    );
  }
  const wanted = dims?.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : 'SIZE')) ?? [
    1, 3, 224, 224,
  ];
  const sizes = `Say them with --shape ${name}=${wanted.join(',')}, or export the model with fixed sizes for everything but the batch.`;
  if (dims === undefined) return fail('expected a known shape (the batch may stay open), received none', sizes);
  const shape = dims.map((dim, axis): Dim => {
    if (typeof dim === 'number') return dim;
    if (axis === 0) return 'batch';
    const received = dims.map((one) => one ?? '?').join(', ');
    return fail(`expected a known shape (the batch may stay open), received [${received}]`, sizes);
  });
  return { dtype, shape };
}
