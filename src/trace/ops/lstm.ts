import * as tf from '@tensorflow/tfjs-core';

export interface LstmOptions {
  /** From the last step of the sequence to the first. */
  readonly isReversed: boolean;
  /** Give the hidden values of all steps, [steps, batch, hidden]; otherwise those after the last step, [1, batch, hidden]. */
  readonly isWhole: boolean;
}

/** Numbers of gates whose gradients are multiplied at once: they stay in the cache, and memory does not grow with the length of the sequence. */
const AT_ONCE = 1 << 18;

/** Values of a step, [rows, batch]. */
interface Step {
  /** Hidden values before the step, and its input. */
  readonly fed: tf.Tensor;
  /** Input, output and forget gate as one, and each. */
  readonly gates: tf.Tensor;
  readonly input: tf.Tensor;
  readonly output: tf.Tensor;
  readonly forget: tf.Tensor;
  readonly candidate: tf.Tensor;
  /** The cell state after the step is their sum: input · candidate and forget · cell state before. */
  readonly added: tf.Tensor;
  readonly kept: tf.Tensor;
  /** tanh of the cell state. */
  readonly squashed: tf.Tensor;
  readonly hidden: tf.Tensor;
}

/**
 * An LSTM (Hochreiter & Schmidhuber 1997) that begins with zeros, with its own gradient. x: [steps, batch, inputs]; weights of inputs
 * [4 · hidden, inputs] and of hidden values [4 · hidden, hidden], bias [4 · hidden]: gates in the order input, output, forget, cell.
 *
 * Rows are units and columns are samples. Gates are then parts that lie one behind another, and a product packs [hidden, batch] at each step
 * instead of the weights. Backward, the derivatives of the gates are computed from the products of the forward step, and the gradients of
 * weights and inputs for several steps at once.
 */
export function lstm(
  x: tf.Tensor,
  weights: tf.Tensor,
  recurrence: tf.Tensor,
  bias: tf.Tensor | undefined,
  { isReversed, isWhole }: LstmOptions,
): tf.Tensor {
  const inOrder = <T>(values: readonly T[]): readonly T[] => (isReversed ? values.toReversed() : values);
  const run = tf.customGrad((...given) => {
    const [fed, w, r, b, save] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([fed, w, r, b]);
    const hidden = stepsOf(inOrder(columns(fed)), w, r, b).map((step) => step.hidden);
    return {
      value: tf.transpose(tf.stack([...inOrder(isWhole ? hidden : hidden.slice(-1))]), [0, 2, 1]),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [sequence, own, past, offset] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        // Values of the steps are merged with those above in the graph.
        const steps = stepsOf(inOrder(columns(sequence)), own, past, offset);
        const dys = inOrder(columns(dy));
        const { dx, ...others } = gradientsOf(steps, dys, own, past);
        return [tf.stack([...inOrder(dx)]), others.weights, others.recurrence, others.bias];
      },
    };
  });
  return run(x, weights, recurrence, bias ?? tf.zeros([weights.shape[0]]));
}

/** [steps, batch, width] as matrices [width, batch]. */
function columns(x: tf.Tensor): tf.Tensor[] {
  return tf.unstack(tf.transpose(x, [0, 2, 1]));
}

function stepsOf(x: readonly tf.Tensor[], weights: tf.Tensor, recurrence: tf.Tensor, bias: tf.Tensor): Step[] {
  const [rows, size] = recurrence.shape as [number, number];
  const groups = (whole: tf.Tensor): tf.Tensor[] => tf.split(whole, [3 * size, size], 0);
  const matrices = groups(tf.concat([recurrence, weights], 1));
  const offsets = groups(tf.reshape(bias, [rows, 1]));
  const zeros = tf.zeros([size, x[0]!.shape[1]!]);
  const steps: Step[] = [];
  let [hidden, cell] = [zeros, zeros];
  for (const one of x) {
    const fed = tf.concat([hidden, one], 0);
    const sums = matrices.map((matrix, i) => tf.add(tf.matMul(matrix as tf.Tensor2D, fed as tf.Tensor2D), offsets[i]!));
    const [gates, candidate] = [tf.sigmoid(sums[0]!), tf.tanh(sums[1]!)];
    const [input, output, forget] = tf.split(gates, 3, 0) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [added, kept] = [tf.mul(input, candidate), tf.mul(forget, cell)];
    cell = tf.add(added, kept);
    const squashed = tf.tanh(cell);
    hidden = tf.mul(output, squashed);
    steps.push({ fed, gates, input, output, forget, candidate, added, kept, squashed, hidden });
  }
  return steps;
}

/**
 * Derivatives of a step. By the sums before the gates, times what each gate multiplies, for an input gate i and a candidate g:
 * g · i (1 - i) = (i g) (1 - i), in which i g is known, and i (1 - g²) = i - (i g) g; and so for the other gates. Of the hidden values by the cell
 * state: o (1 - t²) = o - (o t) t for t the tanh of the cell state.
 */
function slopesOf(step: Step): { gates: tf.Tensor; candidate: tf.Tensor; cell: tf.Tensor } {
  const { gates, input, output, candidate, added, kept, squashed, hidden } = step;
  return {
    gates: tf.mul(tf.sub(1, gates), tf.concat([added, hidden, kept], 0)),
    candidate: tf.sub(input, tf.mul(added, candidate)),
    cell: tf.sub(output, tf.mul(hidden, squashed)),
  };
}

interface Gradients {
  readonly weights: tf.Tensor;
  readonly recurrence: tf.Tensor;
  readonly bias: tf.Tensor;
  /** [batch, inputs] of each step. */
  readonly dx: readonly tf.Tensor[];
}

/** Gradients of weights, bias and inputs. `dys`: gradients of the hidden values of the last `dys.length` steps, [hidden, batch] each. */
function gradientsOf(
  steps: readonly Step[],
  dys: readonly tf.Tensor[],
  weights: tf.Tensor,
  recurrence: tf.Tensor,
): Gradients {
  const [rows, size] = recurrence.shape as [number, number];
  const [inputs, batch] = [weights.shape[1]!, steps[0]!.hidden.shape[1]!];
  const atOnce = Math.max(1, Math.floor(AT_ONCE / (rows * batch)));
  const sum = (a: tf.Tensor | undefined, b: tf.Tensor | undefined): tf.Tensor =>
    a === undefined || b === undefined ? (a ?? b)! : tf.add(a, b);
  const dx: tf.Tensor[] = [];
  let [both, bias, dsums, dcell]: (tf.Tensor | undefined)[] = [];
  for (let end = steps.length; end > 0; end -= atOnce) {
    const start = Math.max(0, end - atOnce);
    const found: tf.Tensor[] = [];
    for (let i = end - 1; i >= start; i--) {
      const slopes = slopesOf(steps[i]!);
      const passed = dsums && tf.matMul(recurrence, dsums, true);
      const dhidden = sum(passed, dys.at(i - steps.length));
      dcell = sum(dcell, tf.mul(dhidden, slopes.cell));
      const ofGates = tf.mul(tf.concat([dcell, dhidden, dcell], 0), slopes.gates);
      dsums = tf.concat([ofGates, tf.mul(dcell, slopes.candidate)], 0);
      found.unshift(dsums);
      dcell = tf.mul(dcell, steps[i]!.forget);
    }
    const side = (all: tf.Tensor[]): tf.Tensor2D => tf.concat(all, 1) as tf.Tensor2D;
    const ofSums = side(found);
    both = sum(both, tf.matMul(ofSums, side(steps.slice(start, end).map(({ fed }) => fed)), false, true));
    bias = sum(bias, tf.sum(ofSums, 1));
    const ofInputs = tf.matMul(ofSums, weights, true);
    dx.unshift(...tf.unstack(tf.reshape(ofInputs, [end - start, batch, inputs])));
  }
  const [ofRecurrence, ofWeights] = tf.split(both!, [size, inputs], 1) as [tf.Tensor, tf.Tensor];
  return { weights: ofWeights, recurrence: ofRecurrence, bias: bias!, dx };
}
