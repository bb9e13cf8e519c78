import type { SavedLayer } from '../config.ts';
import { isObject, textOr } from '../config.ts';
import type { LayerContext, LayerRule, KerasValue } from '../context.ts';
import { withAxes } from '../context.ts';
import type { KerasArray } from '../hdf5.ts';
import { joined } from './arithmetic.ts';

/** ONNX' gates in the order of Keras: of an LSTM input, output, forget, cell instead of input, forget, cell, output. */
const LSTM_GATES = [0, 3, 1, 2];

interface Kind {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  /** Keras' gate at each place of ONNX. */
  readonly gates: readonly number[];
  readonly activations: readonly ('activation' | 'recurrent_activation')[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  LSTM: { op: 'LSTM', gates: LSTM_GATES, activations: ['recurrent_activation', 'activation', 'activation'] },
  GRU: { op: 'GRU', gates: [0, 1, 2], activations: ['recurrent_activation', 'activation'] },
  SimpleRNN: { op: 'RNN', gates: [0], activations: ['activation'] },
};

const ACTIVATIONS: Readonly<Record<string, string>> = {
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  relu: 'Relu',
  softsign: 'Softsign',
  softplus: 'Softplus',
  hard_sigmoid: 'HardSigmoid',
};

/** [..., gates · units] with its gates in the order of ONNX, as [1, gates · units, ...]. */
const regrouped =
  (gates: readonly number[], units: number) =>
  ({ shape, data }: KerasArray): KerasArray => {
    const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const { data: turned } = withAxes({ shape: [rows, gates.length, units], data }, [1, 2, 0]);
    const size = units * rows;
    const ordered = new Float32Array(data.length);
    gates.forEach((gate, i) => ordered.set(turned.subarray(gate * size, (gate + 1) * size), i * size));
    return { shape: [1, gates.length * units, ...shape.slice(0, -1)], data: ordered };
  };

/** One direction of a layer; its sequence is in the order of time. */
interface Passed {
  /** [batch, time, units] */
  readonly sequence: () => KerasValue;
  readonly last: KerasValue;
  readonly states: readonly KerasValue[];
}

function passed(k: LayerContext, x: KerasValue, initial: readonly KerasValue[], isReversed: boolean): Passed {
  const { op, gates, activations } = KINDS[k.layer.className]!;
  const [batch, steps, inputs] = x.shape as [null, number | null, number];
  if (x.shape.length !== 3) k.fail(`expected an input [batch, time, numbers], received ${x.shape.length} axes`);
  const units = k.int('units');
  const width = gates.length * units;
  const change = regrouped(gates, units);
  const weights = [k.weight('kernel', [inputs, width], change), k.weight('recurrent_kernel', [units, width], change)];
  const isAfter = op === 'GRU' && k.flag('reset_after', k.isKeras3);
  const names = activations.map((key) => {
    const name = k.setting(key);
    return typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? name : k.refuse(key);
  });
  const isHard = names.includes('hard_sigmoid');
  const slopes = names.map((name) => (name !== 'hard_sigmoid' ? 0 : k.isKeras3 ? 1 / 6 : 0.2));
  const attrs = {
    hidden_size: units,
    direction: isReversed ? 'reverse' : 'forward',
    activations: { strings: names.map((name) => ACTIVATIONS[name]!) },
    ...(isHard && { activation_alpha: { floats: slopes }, activation_beta: { floats: slopes.map(() => 0.5) } }),
    ...(op === 'GRU' && { linear_before_reset: isAfter ? 1 : 0 }),
  };
  const bias = k.flag('use_bias', true) ? biasOf(k, width, isAfter, change) : '';
  const starts = initial.map((state) => k.op('Unsqueeze', [state.tensor, k.ints([0])]));
  const time = k.op('Transpose', [k.last(x)], { perm: [1, 0, 2] });
  const [all, ...ends] = k.ops(
    op,
    [time, ...weights, bias, ...(starts.length === 0 ? [] : ['', ...starts])],
    attrs,
    op === 'LSTM' ? 3 : 2,
  );
  const states = ends.map((end): KerasValue => {
    return { tensor: k.op('Squeeze', [end, k.ints([0])]), shape: [batch, units], isFirst: false };
  });
  const sequence = (): KerasValue => {
    const whole = k.op('Squeeze', [all!, k.ints([1])]);
    return { tensor: k.op('Transpose', [whole], { perm: [1, 0, 2] }), shape: [batch, steps, units], isFirst: false };
  };
  return { sequence, last: states[0]!, states };
}

/** ONNX has a bias of the input and one of the state, Keras but for some GRUs the first. */
function biasOf(k: LayerContext, width: number, isAfter: boolean, change: (array: KerasArray) => KerasArray): string {
  if (isAfter) return k.weight('bias', [2, width], ({ data }) => ({ shape: [1, 2 * width], data }));
  const bias = k.weight('bias', [width], change);
  return k.op('Concat', [bias, k.parts.constant(new Array<number>(width).fill(0), [1, width])], { axis: 1 });
}

const recurrent: LayerRule = (k, [x, ...more]) => {
  const isBack = k.flag('go_backwards', false);
  if (k.flag('stateful', false)) k.refuse('stateful');
  const { sequence, last, states } = passed(k, x!, more, isBack);
  const isWhole = k.flag('return_sequences', false);
  let first = isWhole ? sequence() : last;
  // Keras gives the results in the order in which it computes them.
  if (isWhole && isBack) first = reversed(k, first);
  return k.flag('return_state', false) ? [first, ...states] : first;
};

function reversed(k: LayerContext, value: KerasValue): KerasValue {
  const [from, to, axis, step] = [[-1], [-(2 ** 31) + 1], [1], [-1]].map((one) => k.ints(one)) as [
    string,
    string,
    string,
    string,
  ];
  return { ...value, tensor: k.op('Slice', [value.tensor, from, to, axis, step]) };
}

const MERGES: Readonly<Record<string, string>> = { sum: 'Add', mul: 'Mul', ave: 'Add' };

const bidirectional: LayerRule = (k, [x, ...more]) => {
  if (more.length > 0) k.fail('cannot compute with initial states');
  const [forward, backward] = ['layer', 'backward_layer'].map((key) => innerLayer(k, key));
  if (forward === undefined) return k.fail('has no layer inside');
  const isWhole = forward.config['return_sequences'] === true;
  if (forward.config['return_state'] === true) k.fail('cannot give states');
  const sides = [forward, backward ?? forward].map((layer, i) => {
    const inside = k.inner({
      ...layer,
      name: `${i === 0 ? 'forward' : 'backward'}_${layer.name.replace(/^(forward|backward)_/, '')}`,
    });
    for (const key of ['return_sequences', 'return_state', 'go_backwards']) inside.setting(key);
    if (inside.flag('stateful', false)) inside.refuse('stateful');
    if (!Object.hasOwn(KINDS, layer.className)) k.fail(`cannot compute with ${layer.className} inside`);
    const { sequence, last } = passed(inside, x!, [], i === 1);
    k.leave(inside);
    return isWhole ? sequence() : last;
  }) as [KerasValue, KerasValue];
  const mode = k.setting('merge_mode');
  if (mode === null) return sides;
  const [one, other] = sides;
  if (mode === 'concat') {
    const size = (one.shape.at(-1) as number) + (other.shape.at(-1) as number);
    const tensor = k.op('Concat', [one.tensor, other.tensor], { axis: one.shape.length - 1 });
    return { tensor, shape: [...one.shape.slice(0, -1), size], isFirst: false };
  }
  if (typeof mode !== 'string' || !Object.hasOwn(MERGES, mode)) return k.refuse('merge_mode');
  const merged = joined(k, MERGES[mode]!, one, other);
  return mode === 'ave' ? { ...merged, tensor: k.op('Mul', [merged.tensor, k.scalar(0.5)]) } : merged;
};

/** The layer that a wrapper names in its settings. */
export function innerLayer(k: LayerContext, key: string): SavedLayer | undefined {
  const stated = k.setting(key);
  if (!isObject(stated) || !isObject(stated['config'])) return undefined;
  const { class_name: className, config } = stated as { class_name: unknown; config: Record<string, unknown> };
  return {
    name: textOr(config['name'], key),
    className: String(className),
    config,
    isOperation: false,
    calls: [],
  };
}

export const recurrentLayers: Readonly<Record<string, LayerRule>> = {
  LSTM: recurrent,
  GRU: recurrent,
  SimpleRNN: recurrent,
  Bidirectional: bidirectional,
};
