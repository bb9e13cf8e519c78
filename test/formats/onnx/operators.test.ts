import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { format } from 'prettier';
import { UserError } from '../../../src/base/errors.ts';
import { Channels } from '../../../src/compress/prune/cut/channels.ts';
import type { Labels } from '../../../src/compress/prune/cut/channels.ts';
import { followChannels } from '../../../src/compress/prune/cut/flow.ts';
import { importedOps, importOnnx } from '../../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { fuse } from '../../../src/formats/tflite/fuse/fuse.ts';
import { lower } from '../../../src/formats/tflite/lower/lower.ts';
import { integerRules } from '../../../src/formats/tflite/quantize/rules.ts';
import { atBatch } from '../../../src/graph/passes/inputs/at-batch.ts';
import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { BACKEND_NAME } from '../../../src/trace/backend.ts';
import { setEvaluator } from '../../../src/trace/evaluate.ts';
import { install } from '../../../src/trace/install.ts';
import { interpret } from '../../../src/trace/interpret/interpret.ts';
import { ROOT } from '../../support/built.ts';
import { numbers } from '../../support/graphs.ts';
import { operatorCases, stored } from '../../support/onnx-cases/operators.ts';
import { modelOf } from '../../support/onnx-steps.ts';
import { operatorLimits } from '../../support/operator-limits.ts';

const FILE = path.join(ROOT, 'docs/operators.md');

/** A gradient of it is traced, which is all that a training step needs. */
function train(graph: Graph): string {
  const shape = graph.inputs.get('x')!.shape as readonly number[];
  if (graph.types.get(graph.outputs.get('y')!)!.dtype !== 'float32') return '—';
  const count = shape.reduce((a, b) => a * b, 1);
  try {
    tf.tidy(() =>
      tf.grad((x) => tf.sum(interpret(graph, { x }).outputs['y']!))(tf.tensor(numbers(count, 'x'), [...shape])),
    );
    return 'yes';
  } catch {
    return 'no';
  }
}

function tflite(graph: Graph): { fp32: string; int8: string } {
  try {
    const program = lower(graph, 2);
    fuse(program);
    program.prune();
    const ops = program.operations.map(({ op }) => op);
    const integer = ops.filter((op) => integerRules.has(op));
    const int8 = integer.length === ops.length ? 'yes' : integer.length === 0 ? 'float' : 'in part';
    return { fp32: 'yes', int8 };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { fp32: 'no', int8: 'no' };
  }
}

/** Along which axes of the example what comes to it may be removed with it: `yes` for all but the batch. */
function cut(graph: Graph): string {
  const [name, { shape }] = [...graph.inputs].find(([input]) => input === 'x')!;
  const axes = shape.length === 1 ? [0] : shape.flatMap((_, i) => (i === 0 ? [] : [i]));
  const free = axes.filter((axis) => {
    const channels = new Channels();
    const labels = new Map<string, Labels>();
    for (const [key, { type }] of graph.constants) labels.set(key, channels.weight(key, type.shape.map(Number)));
    const own = channels.fresh(Number(shape[axis]));
    labels.set(
      name,
      shape.map((_, i) => (i === axis ? own : null)),
    );
    followChannels(graph, channels, labels);
    return own.every((label) => channels.reason(label) === undefined);
  });
  if (free.length === axes.length) return 'yes';
  return free.length === 0 ? 'no' : `axis ${free.join(', ')}`;
}

function row(operator: string): string {
  const [dims, fed, steps, opset] = operatorCases[operator]!;
  const imported = importOnnx(modelOf(dims, stored, steps, opset), 'm.onnx');
  const graph = atBatch(imported, fed[0]!);
  const light = forInference(graph, (part) => evaluator.runSync(part, new Map()));
  expect(lowerToOnnx(light).graph.nodes.length).toBeGreaterThan(0);
  const { fp32, int8 } = tflite(light);
  return `| \`${operator}\` | ${operatorLimits[operator] ?? ''} | ${train(graph)} | ${cut(light)} | yes | ${fp32} | ${int8} |`;
}

const HEAD = `# Operators of ONNX files

\`limbeck export --from FILE.onnx\` and \`student: { onnx: FILE.onnx }\` read models with these ${importedOps.length} operators of ONNX' own domain, in any
operator set from 1 on, and with \`Scaler\` of ai.onnx.ml. As a teacher, and for \`bench\`, \`evaluate\` and \`inspect\`, a file may have all operators that ONNX Runtime runs.

An input is float32, or int32, int64 or bool if the graph selects by it (such as token ids). Its sizes are fixed, except for the first axis,
the batch, which may be open. A float16 file is read as float32. Weights may lie in a file beside the model. Values that depend only on
stored values and shapes are computed when the file is read, which removes the shape arithmetic of PyTorch's exporters, also where it depends on
the batch. A grouped convolution becomes one convolution for each group, and a recurrent layer a sequence of as many steps as its input has.
An attribute, input or output that matters and cannot be read is refused with the name of its node.

- **train**: the operator has a gradient, so that layers before it can be trained; "—" if its result is indices or booleans.
- **cut**: axes of its input along which pruning can remove channels: yes for all, or those named (0 is the batch; 1 the channels of a
  picture), as far as its example has them. Channels along the others stay, and the report says why.
- **ONNX**, **TFLite fp32**: the operator can be written in these formats.
- **TFLite int8**: integer kernels compute it ("in part": some of its operations are computed in float32, with conversions; "float": all of
  them). In an int8 ONNX file, too, operations without an integer kernel stay in float32.

The table is made from an example of each operator; a test fails if it is not current.

`;

it('docs/operators.md has every operator that is read, as the tables have it (UPDATE_DOCS=1 writes it anew)', async () => {
  install();
  setEvaluator(evaluator);
  void tf.engine().setBackend(BACKEND_NAME);
  expect(Object.keys(operatorCases).sort()).toEqual(importedOps);
  expect(Object.keys(operatorLimits).filter((operator) => !importedOps.includes(operator))).toEqual([]);
  const table = [
    '| operator | what is not read of it | train | cut | ONNX | TFLite fp32 | TFLite int8 |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...importedOps.map(row),
  ];
  const text = await format(`${HEAD}${table.join('\n')}\n`, { parser: 'markdown', printWidth: 130 });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});
