import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { cleaned } from '../graph/passes/simplify/cleaned.ts';
import { reportStage } from '../graph/stages.ts';
import type { Graph, TensorType } from '../graph/types.ts';
import { BACKEND_NAME, lazyBackend } from './backend.ts';
import { addNodes, uniform } from './collect.ts';
import { install } from './install.ts';
import type { StepProgram } from './program.ts';
import { collectRandomInputs } from './random.ts';
import { whileTracing } from './scope.ts';
import type { ConcreteType, Value } from './value.ts';
import { op, placeholder } from './value.ts';
import { missingFromState, swapVariables } from './variables.ts';

/**
 * Graph of one call of `program`: feeds and random inputs become inputs, variables become state, assignments become updates. The variables keep their
 * content.
 */
export function traceProgram(program: StepProgram): Graph {
  install();
  return onBackend(() => whileTracing(() => collectRandomInputs((random) => traceOnce(program, random))));
}

/** Graph of a function from feeds to results, such as a model's prediction; `state`: as for a program. */
export function traceFunction(
  run: StepProgram['run'],
  feeds: Readonly<Record<string, TensorType>>,
  state: StepProgram['state'] = {},
): Graph {
  return traceProgram({ feeds, state, run });
}

function traceOnce(program: StepProgram, random: readonly Value[]): Graph {
  const variables = swapVariables(program.state);
  const engine = tf.engine();
  engine.startScope('trace');
  try {
    const inputs = Object.entries(program.feeds).map(([name, type]) =>
      placeholder('input', name, concrete(name, type)),
    );
    const feeds: Record<string, tf.Tensor> = {};
    for (const input of inputs) {
      const info = lazyBackend().hold(asTfjs(input));
      feeds[input.placeholder!.name] = engine.makeTensorFromTensorInfo(info, lazyBackend());
    }
    const results = new Map(
      Object.entries(program.run(feeds)).map(([name, tensor]) => [name, lazyBackend().lookup(tensor)]),
    );
    const updates = variables.assigned();
    return buildGraph([...inputs, ...random], variables.state, results, updates);
  } finally {
    engine.endScope();
    variables.restore();
  }
}

function buildGraph(
  inputs: readonly Value[],
  state: readonly Value[],
  outputs: ReadonlyMap<string, Value>,
  updates: ReadonlyMap<string, Value>,
): Graph {
  const builder = new GraphBuilder();
  const names = new Map<Value, string>();
  for (const value of inputs) names.set(value, builder.input(value.placeholder!.name, value.type));
  for (const value of state) names.set(value, builder.state(value.placeholder!.name, value.type));
  const nameOf = addNodes(
    builder,
    [...outputs.values(), ...updates.values()],
    (value) => names.get(value) ?? addConstant(builder, value),
  );
  for (const [name, value] of outputs) builder.output(name, nameOf(value));
  for (const [name, value] of updates) builder.update(name, nameOf(value));
  return reportStage('cleaned', cleaned(reportStage('traced', builder.build())));
}

/** A constant array becomes a broadcast scalar: smaller, and for any batch size. */
function addConstant(builder: GraphBuilder, { type, data, placeholder: missing }: Value): string {
  if (missing !== undefined) throw missingFromState(missing.name, 'reads');
  const same = data!.length > 1 ? uniform(data!) : undefined;
  if (same === undefined) return builder.constant(type, data!);
  const scalar = builder.constant({ dtype: type.dtype, shape: [] }, data!.slice(0, 1));
  return builder.op('BroadcastTo', [scalar], { shape: type.shape });
}

function concrete(name: string, { dtype, shape }: TensorType): ConcreteType {
  if (shape.every((dim) => typeof dim === 'number')) return { dtype, shape };
  throw new UserError(
    `feed ${name}: the shape [${shape.join(', ')}] has a symbolic dimension`,
    'Give fixed sizes, or trace with traceWithBatch to get a graph for any batch size.',
  );
}

const TFJS_DTYPES = ['float32', 'int32', 'bool'];

/** tfjs has three dtypes; feeds of others are converted. */
function asTfjs(input: Value): Value {
  const { dtype } = input.type;
  if (TFJS_DTYPES.includes(dtype)) return input;
  return op('Cast', [input], { dtype: dtype === 'float16' ? 'float32' : 'int32' });
}

function onBackend<T>(body: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName;
  void engine.setBackend(BACKEND_NAME);
  try {
    return body();
  } finally {
    if (before !== undefined && before !== null && before !== BACKEND_NAME) void engine.setBackend(before);
  }
}
