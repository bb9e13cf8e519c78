import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TensorType } from '../graph/types.ts';

/**
 * One call of a model or one training step, as a plain function over tf ops. It is written once and run by every engine:
 * traced into a graph for ONNX Runtime, or called eagerly on libtensorflow.
 *
 * - `feeds`: what changes from call to call, by name, with fixed shapes. The learning rate and loss weights belong here;
 *   a number that the function closes over is frozen into the trace.
 * - `state`: every variable that `run` reads or assigns, by a name that is the same in every process (tfjs' own variable
 *   names are not). Assigned ones become the graph's updates.
 * - `run` gives named results. It must not read a value (`data()`, `dataSync()`) and must not draw random numbers other
 *   than through `uniformFeed`.
 */
export interface StepProgram {
  readonly feeds: Readonly<Record<string, TensorType>>;
  readonly state: Readonly<Record<string, Variable>>;
  readonly run: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;
}
