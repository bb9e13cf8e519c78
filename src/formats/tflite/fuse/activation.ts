import { changed } from '../lower/program.ts';
import type { Rule } from './rewrite.ts';

export const ACTIVATION: Readonly<Record<string, number>> = { RELU: 1, RELU_N1_TO_1: 2, RELU6: 3 };

const HOSTS = new Set([
  'ADD',
  'AVERAGE_POOL_2D',
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'DIV',
  'FULLY_CONNECTED',
  'MAX_POOL_2D',
  'MUL',
  'SUB',
]);

/** A relu, relu6 or clip to [-1, 1] becomes a part of the operation whose result it takes. */
export const fuseActivation: Rule = (operation, { program, only }) => {
  const fusedActivationFunction = ACTIVATION[operation.op];
  const host = only(operation.inputs[0] ?? '');
  if (fusedActivationFunction === undefined || host === undefined || !HOSTS.has(host.op)) return undefined;
  if (host.options?.fusedActivationFunction || program.type(host.outputs[0]!).dtype !== 'float32') return undefined;
  const options = { ...host.options!, fusedActivationFunction };
  return { insert: [changed(host, { outputs: operation.outputs, options })], remove: [host] };
};
