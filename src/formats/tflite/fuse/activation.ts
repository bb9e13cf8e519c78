import { changed } from '../lower/program.ts';
import type { FusionRule } from './rewrite.ts';

const ACTIVATION: Readonly<Record<string, number>> = { RELU: 1, RELU_N1_TO_1: 2, RELU6: 3 };

const { RELU, RELU6 } = ACTIVATION;

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

/** Fuses a relu, relu6 or clip to [-1, 1] into the operation before it. */
export const fuseActivation: FusionRule = (operation, { program, only, isApart }) => {
  const activation = ACTIVATION[operation.op];
  const host = only(operation.inputs[0] ?? '');
  if (activation === undefined || host === undefined || !HOSTS.has(host.op)) return undefined;
  if (isApart(operation, host)) return undefined;
  if (program.type(host.outputs[0]!).dtype !== 'float32') return undefined;
  const fusedActivationFunction = after(Number(host.options?.fusedActivationFunction ?? 0), activation);
  if (fusedActivationFunction === undefined) return undefined;
  const options = { ...host.options!, fusedActivationFunction };
  return { insert: [changed(host, { outputs: operation.outputs, options })] };
};

/** The single clip equal to two in sequence, if there is one: a Keras ReLU with a maximum of 6 is a relu and a relu6. */
function after(first: number, second: number): number | undefined {
  if (first === 0 || first === second) return second;
  const both = [first, second];
  return both.includes(RELU!) && both.includes(RELU6!) ? RELU6 : undefined;
}
