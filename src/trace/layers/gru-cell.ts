import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { LayerLike } from './types.ts';

/** Members of tfjs' GRUCell. */
interface GruCell extends LayerLike {
  readonly units: number;
  readonly kernel: LayerVariable;
  readonly recurrentKernel: LayerVariable;
  readonly bias?: LayerVariable | null;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
  readonly dropout: number;
  readonly recurrentDropout: number;
}

interface Activation {
  apply(x: tf.Tensor): tf.Tensor;
  getClassName(): string;
}

/** Activations over all units of a gate, which would mix two concatenated gates. */
const ACROSS: readonly string[] = ['softmax', 'logSoftmax'];

/** An activation of a · x + b, where a and b can be folded into the weights that give x. */
interface Gate {
  readonly apply: (x: tf.Tensor) => tf.Tensor;
  readonly a?: number;
  readonly b?: number;
}

/** clip(0.2 · x + 0.5, 0, 1) as a clip of the result of weights scaled by a fifth, which are scaled once for all steps. */
function gateOf(activation: Activation): Gate {
  return activation.getClassName() === 'hardSigmoid'
    ? { apply: (x) => tf.clipByValue(x, 0, 1), a: 0.2, b: 0.5 }
    : { apply: (x) => activation.apply(x) };
}

/**
 * A GRU step without dropout, with the gates z and r concatenated as [batch, 2 · units] as long as both go through the same ops: over a short
 * sequence of small matrices, the time of a step depends on its number of nodes. Inputs and results are tfjs': [x, h before] and [output, h], which
 * are one tensor. Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder".
 */
export function callGruCell(layer: LayerLike, inputs: unknown): tf.Tensor[] | undefined {
  const { units, kernel, recurrentKernel, bias, activation, recurrentActivation, ...cell } = layer as GruCell;
  if (!Array.isArray(inputs) || inputs.length !== 2 || cell.dropout > 0 || cell.recurrentDropout > 0) return undefined;
  const [x, before] = inputs as [tf.Tensor, tf.Tensor];
  if (x.rank !== 2 || ACROSS.includes(recurrentActivation.getClassName())) return undefined;
  const sizes = [2 * units, units];
  return tf.tidy(() => {
    const { apply, a, b } = gateOf(recurrentActivation);
    const halves = (weights: LayerVariable): [tf.Tensor, tf.Tensor] => {
      const [gates, fresh] = tf.split(weights.read(), sizes, -1) as [tf.Tensor, tf.Tensor];
      return [a === undefined ? gates : tf.mul(a, gates), fresh];
    };
    const [own, recurrent] = [halves(kernel), halves(recurrentKernel)];
    const [first, second] = bias ? halves(bias) : [];
    const offset = b === undefined || first === undefined ? (first ?? b) : tf.add(b, first);
    const fed = (i: 0 | 1, more: tf.Tensor | number | undefined): tf.Tensor =>
      more === undefined ? tf.matMul(x, own[i]) : tf.add(tf.matMul(x, own[i]), more);
    const gates = apply(tf.add(fed(0, offset), tf.matMul(before, recurrent[0])));
    const [z, r] = tf.split(gates, 2, 1);
    const fresh = activation.apply(tf.add(fed(1, second), tf.matMul(tf.mul(r!, before), recurrent[1])));
    // z · before + (1 - z) · fresh
    const h = tf.add(fresh, tf.mul(z!, tf.sub(before, fresh)));
    return [h, h];
  });
}
