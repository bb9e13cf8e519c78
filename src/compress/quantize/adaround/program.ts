import * as tf from '@tensorflow/tfjs-core';
import { atBatch } from '../../../graph/passes/at-batch.ts';
import { withBatch } from '../../../graph/shapes.ts';
import type { TensorType } from '../../../graph/types.ts';
import { interpret } from '../../../trace/interpret/interpret.ts';
import type { StepProgram } from '../../../trace/program.ts';
import type { Optimizer } from '../../../train/optimizers.ts';
import type { Block } from './blocks.ts';
import { rectifiedSigmoid, softWeights, undecided } from './soft.ts';

/** State name of the rounding variables. */
export const V = 'v';

type Feeds = Readonly<Record<string, tf.Tensor>>;

/**
 * One step of the search for the rounding of a layer (equation 25): squared error of its output, times the feed `gain`, plus
 * `lambda` times what is undecided at `beta`. Feeds `x` and `y`: what the layer is given by the quantized model, and what it
 * gives in the float model.
 */
export function searchProgram(
  block: Block,
  floor: Float32Array,
  { v, optimizer, batchSize }: { readonly v: tf.Variable; readonly optimizer: Optimizer; readonly batchSize: number },
): StepProgram {
  const shape = block.type.shape as number[];
  return {
    feeds: { ...endsOf(block, batchSize), gain: scalar, lambda: scalar, beta: scalar, ...optimizer.feeds },
    state: { [V]: v, ...optimizer.slots },
    run: (feeds) => {
      const { grads, value } = tf.variableGrads(() => {
        const h = rectifiedSigmoid(v);
        const weights = softWeights(tf.tensor(floor, shape), h, scaleOf(block));
        const error = tf.mul(meanError(block, batchSize, feeds, weights), feeds.gain!);
        return tf.add<tf.Scalar>(error, tf.mul(undecided(h, feeds.beta!), feeds.lambda!));
      }, [v]);
      optimizer.apply({ [V]: grads[v.name]! }, feeds);
      return { loss: value };
    },
  };
}

/** The mean squared error of a layer's output with the weights that are its state. */
export function errorProgram(block: Block, weights: tf.Variable, batchSize: number): StepProgram {
  return {
    feeds: endsOf(block, batchSize),
    state: { weights },
    run: (feeds) => ({ error: meanError(block, batchSize, feeds, weights) }),
  };
}

function meanError(block: Block, batchSize: number, { x, y }: Feeds, weights: tf.Tensor): tf.Tensor {
  const { outputs } = interpret(atBatch(block.graph, batchSize), { [block.input]: x!, [block.weights]: weights });
  return tf.mean(tf.square(tf.sub(outputs['y']!, y!)));
}

function endsOf({ graph, input, output }: Block, batchSize: number): { x: TensorType; y: TensorType } {
  const of = (name: string): TensorType => {
    const { dtype, shape } = graph.types.get(name)!;
    return { dtype, shape: withBatch(shape, batchSize) };
  };
  return { x: of(input), y: of(output) };
}

function scaleOf({ type, scales: { scales, axis } }: Block): tf.Tensor {
  const shape = type.shape.map((size, i) => (i === axis ? (size as number) : 1));
  return tf.tensor([...scales], shape);
}

const scalar: TensorType = { dtype: 'float32', shape: [] };
