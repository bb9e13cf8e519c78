import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TensorType } from '../graph/types.ts';

/**
 * One call of a model or one training step, as a plain function over tf ops. It is written once and run by every engine: traced into a graph for ONNX
 * Runtime, or called eagerly on libtensorflow.
 *
 * - `feeds`: values that change from call to call, by name, with fixed shapes. The learning rate and loss weights belong here;
 * a number in the function's closure is frozen into the trace.
 * - `state`: every variable that `run` reads or assigns, by a name that is the same in every process (unlike tfjs' own variable
 * names). Assigned ones become the graph's updates.
 * - `run` returns named results. It must not read a value (`data()`, `dataSync()`) and must not draw random numbers other
 * than through `uniformFeed`.
 */
export interface StepProgram {
  readonly feeds: Readonly<Record<string, TensorType>>;
  readonly state: Readonly<Record<string, Variable>>;
  readonly run: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;
}
