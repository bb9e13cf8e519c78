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

/** Activations over all units of a gate, which two gates side by side would change. */
const ACROSS: readonly string[] = ['softmax', 'logSoftmax'];

/** An activation after a line through its operand, which the terms of a sum can go through before they are added up. */
interface Gate {
  readonly apply: (x: tf.Tensor) => tf.Tensor;
  /** The line for the one term that brings its constant. */
  readonly scaled: (x: tf.Tensor) => tf.Tensor;
  /** Its slope, for what gives the other terms. */
  readonly weights: (x: tf.Tensor) => tf.Tensor;
}

/** clip(0.2 · x + 0.5, 0, 1) as a clip of x from weights a fifth as large: those of all steps are scaled once. */
function gateOf(activation: Activation): Gate {
  if (activation.getClassName() !== 'hardSigmoid')
    return { apply: (x) => activation.apply(x), scaled: (x) => x, weights: (x) => x };
  const weights = (x: tf.Tensor): tf.Tensor => tf.mul(0.2, x);
  return { apply: (x) => tf.clipByValue(x, 0, 1), scaled: (x) => tf.add(0.5, weights(x)), weights };
}

/**
 * A step of a GRU without dropout, with the gates z and r as one tensor [batch, 2 · units] for as long as both go through the same ops: a
 * step over a short sequence of small matrices takes as long as its nodes are many. Inputs and results are those of tfjs:
 * [x, h before] and [output, h], which are one tensor. Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder".
 */
export function callGruCell(layer: LayerLike, inputs: unknown): tf.Tensor[] | undefined {
  const { units, kernel, recurrentKernel, bias, activation, recurrentActivation, ...cell } = layer as GruCell;
  if (!Array.isArray(inputs) || inputs.length !== 2 || cell.dropout > 0 || cell.recurrentDropout > 0) return undefined;
  const [x, before] = inputs as [tf.Tensor, tf.Tensor];
  if (x.rank !== 2 || ACROSS.includes(recurrentActivation.getClassName())) return undefined;
  const sizes = [2 * units, units];
  return tf.tidy(() => {
    const product = tf.matMul(x, kernel.read());
    const fed = tf.split(bias ? tf.add(product, bias.read()) : product, sizes, 1);
    const weights = tf.split(recurrentKernel.read(), sizes, 1);
    const gate = gateOf(recurrentActivation);
    const gates = gate.apply(tf.add(gate.scaled(fed[0]!), tf.matMul(before, gate.weights(weights[0]!))));
    const [z, r] = tf.split(gates, 2, 1);
    const fresh = activation.apply(tf.add(fed[1]!, tf.matMul(tf.mul(r!, before), weights[1]!)));
    // z · before + (1 - z) · fresh
    const h = tf.add(fresh, tf.mul(z!, tf.sub(before, fresh)));
    return [h, h];
  });
}
