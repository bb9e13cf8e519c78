import type { LayerContext, LayerRule, KerasValue } from '../context.ts';
import { channelsOf } from './convolutions.ts';

/** A weight of the layer, or as many ones or zeros, if it has none. */
function or(k: LayerContext, has: boolean, name: string, shape: readonly (number | null)[], value: number): string {
  if (has) return k.weight(name, shape);
  const count = (shape as number[]).reduce((product, size) => product * size, 1);
  return k.parts.constant(new Array<number>(count).fill(value), shape as number[]);
}

const batchNormalization: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  if (k.axis(k.setting('axis') ?? -1, rank) !== rank - 1) k.refuse('axis');
  const channels = channelsOf(k, x!);
  const [gamma, beta] = [
    or(k, k.flag('scale', true), 'gamma', [channels], 1),
    or(k, k.flag('center', true), 'beta', [channels], 0),
  ];
  const [mean, variance] = [k.weight('moving_mean', [channels]), k.weight('moving_variance', [channels])];
  const attrs = { epsilon: { float: k.number('epsilon', 0.001) }, momentum: { float: k.number('momentum', 0.99) } };
  const tensor = k.op('BatchNormalization', [k.first(x!), gamma, beta, mean, variance], attrs);
  return { ...x!, tensor, isFirst: rank > 2 };
};

const layerNormalization: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  const axes = [k.setting('axis') ?? -1].flat().map((axis) => k.axis(axis, rank));
  const first = Math.min(...axes);
  if (axes.length !== rank - first || new Set(axes).size !== axes.length) k.refuse('axis');
  const shape = x!.shape.slice(first);
  if (shape.includes(null)) k.fail('normalizes over a size that is open');
  const scale = or(k, k.flag('scale', true), 'gamma', shape, 1);
  const offset = k.flag('center', true) ? [k.weight('beta', shape)] : [];
  const attrs = { axis: first, epsilon: { float: k.number('epsilon', 0.001) } };
  return { ...x!, tensor: k.op('LayerNormalization', [k.last(x!), scale, ...offset], attrs), isFirst: false };
};

const groupNormalization: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  if (rank < 3 || k.axis(k.setting('axis') ?? -1, rank) !== rank - 1) k.refuse('axis');
  const channels = channelsOf(k, x!);
  const groups = k.int('groups', 32);
  const scale = or(k, k.flag('scale', true), 'gamma', [channels], 1);
  const offset = or(k, k.flag('center', true), 'beta', [channels], 0);
  const attrs = { num_groups: groups === -1 ? channels : groups, epsilon: { float: k.number('epsilon', 0.001) } };
  return { ...x!, tensor: k.op('GroupNormalization', [k.first(x!), scale, offset], attrs), isFirst: true };
};

const rmsNormalization: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  if (k.axis(k.setting('axis') ?? -1, rank) !== rank - 1) k.refuse('axis');
  const value = k.last(x!);
  const mean = k.op('ReduceMean', [k.op('Mul', [value, value]), k.ints([-1])], { keepdims: 1 });
  const size = k.op('Sqrt', [k.op('Add', [mean, k.scalar(k.number('epsilon', 1e-6))])]);
  const scale = k.weight('scale', [channelsOf(k, x!)]);
  return { ...x!, tensor: k.op('Mul', [k.op('Div', [value, size]), scale]), isFirst: false };
};

const unitNormalization: LayerRule = (k, [x]) => {
  const value = k.last(x!);
  const axes = [k.setting('axis') ?? -1].flat().map((axis) => k.axis(axis, x!.shape.length));
  const length = k.op('ReduceL2', [value, k.ints(axes)], { keepdims: 1 });
  return { ...x!, tensor: k.op('Div', [value, k.op('Max', [length, k.scalar(1e-12)])]), isFirst: false };
};

/** The first axis of numbers that are stored for several, such as the mean of each channel. */
function numbersIn(k: LayerContext, value: unknown, key: string): number[] {
  const all: unknown[] = Array.isArray(value) ? value.flat(8) : [value];
  return all.every((one) => typeof one === 'number') ? all : k.refuse(key);
}

const rescaling: LayerRule = (k, [x]) => {
  const value = (key: string, usual: number): number[] => numbersIn(k, k.setting(key) ?? usual, key);
  const [scale, offset] = [value('scale', 1), value('offset', 0)];
  const isSame = scale.length === 1 && offset.length === 1;
  const tensor = isSame ? x!.tensor : k.last(x!);
  const stored = (all: number[]): string => k.parts.constant(all, all.length === 1 ? [] : [all.length]);
  const scaled = k.op('Mul', [tensor, stored(scale)]);
  const isZero = offset.every((one) => one === 0);
  return {
    ...floats(x!),
    isFirst: isSame && x!.isFirst,
    tensor: isZero ? scaled : k.op('Add', [scaled, stored(offset)]),
  };
};

const floats = ({ tensor, shape, isFirst }: KerasValue): KerasValue => ({ tensor, shape, isFirst });

/** (x - mean) / max(√variance, 1e-7), with numbers that belong to the model but are not trained. */
const normalization: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  const stated = k.setting('axis');
  const axes = stated === null || stated === undefined ? [] : [stated].flat().map((axis) => k.axis(axis, rank));
  if (axes.includes(0)) k.refuse('axis');
  const dims = x!.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  if (dims.includes(null)) k.fail('normalizes along a size that is open');
  const kept = axes.length === 0 ? [] : [...axes].sort((a, b) => a - b).map((axis) => x!.shape[axis]!);
  const given = ['mean', 'variance'].map((key) => k.setting(key));
  const isGiven = given.every((one) => one !== null && one !== undefined);
  const [mean, variance] = isGiven
    ? given.map((one, i) => numbersIn(k, one, i === 0 ? 'mean' : 'variance'))
    : ['mean', 'variance'].map((name) => [...k.array(name, kept).data]);
  if (k.left > 0) k.array('count', []);
  const count = kept.reduce((product, size) => product * size, 1);
  const stored = (all: readonly number[]): string => {
    const whole = all.length === 1 ? new Array<number>(count).fill(all[0]!) : all;
    return whole.length === count
      ? k.parts.constant(whole, dims as number[])
      : k.fail(`has ${all.length} numbers for ${count} places`);
  };
  const deviation = stored(variance!.map((one) => Math.max(Math.sqrt(one), 1e-7)));
  const value = k.last(x!);
  const tensor = k.flag('invert', false)
    ? k.op('Add', [k.op('Mul', [value, deviation]), stored(mean!)])
    : k.op('Div', [k.op('Sub', [value, stored(mean!)]), deviation]);
  return { ...floats(x!), tensor, isFirst: false };
};

export const normalizations: Readonly<Record<string, LayerRule>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  RMSNormalization: rmsNormalization,
  UnitNormalization: unitNormalization,
  Rescaling: rescaling,
  Normalization: normalization,
};
