import { clipped, UserError } from '../../base/errors.ts';
import type { SavedLayer, KerasModel } from './config.ts';
import { damagedModel, EXPORT, isObject } from './config.ts';
import { arrayAt, groupAt } from './hdf5.ts';
import type { Hdf5Group, KerasArray } from './hdf5.ts';

/** Position of a layer in the file. */
export interface LayerPlace {
  /** Names of the models around the layer, from the outermost, and its own. */
  readonly names: readonly string[];
  /** Path of its group in `model.weights.h5`: numbered names of classes. */
  readonly group: readonly string[];
}

/** Arrays of a layer in the order of Keras: trained ones first, as the layer created them. */
export type WeightSource = (layer: SavedLayer, place: LayerPlace) => readonly KerasArray[];

/** Members of a layer that hold its weights, in the order in which the layer lists them; others hold them themselves. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(['LSTM', 'GRU', 'SimpleRNN'].map((name) => [name, ['cell']])),
  MultiHeadAttention: ['query_dense', 'key_dense', 'value_dense', 'output_dense'],
};

/** Paths below a layer's group at which its arrays are. */
function members({ className, config }: Pick<SavedLayer, 'className' | 'config'>): string[][] {
  const inside = config['layer'];
  const inner = isObject(inside)
    ? members({ className: String(inside['class_name']), config: isObject(inside['config']) ? inside['config'] : {} })
    : [];
  if (className === 'TimeDistributed') return inner.map((path) => ['layer', ...path]);
  if (className === 'Bidirectional')
    return ['forward_layer', 'backward_layer'].flatMap((part) => inner.map((path) => [part, ...path]));
  return (MEMBERS[className] ?? ['']).map((name) => (name === '' ? [] : [name]));
}

/** Names of the groups of a model's layers, in order. */
export function groupNames({ layers }: KerasModel): string[] {
  const counts = new Map<string, number>();
  return layers.map(({ className, isOperation, model }) => {
    if (isOperation) return '';
    const name = snakeCase(model !== undefined && className === 'Model' ? 'Functional' : className);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}

function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, '')
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** WeightSource of a `.keras` archive: numbered arrays in `vars` of each group. */
export function archivedWeights(root: Hdf5Group, file: string): WeightSource {
  return (layer, { group }) =>
    members(layer).flatMap((path) => {
      // Keras 2 names private members.
      const hidden = path.map((name) => (name.endsWith('_dense') ? `_${name}` : name));
      const found = [path, hidden]
        .map((names) => groupAt(root, [...group, ...names, 'vars']))
        .find((one) => one?.arrays.size);
      const arrays = found?.arrays ?? new Map<string, KerasArray>();
      return Array.from({ length: arrays.size }, (_, i) => {
        const array = arrays.get(`${i}`);
        if (array === undefined)
          throw damagedModel(file, `the weights of the layer ${clipped(layer.name)} are not numbered from 0`);
        return array;
      });
    });
}

/** WeightSource of an HDF5 file of a whole model: a group for each layer, which lists the names of its arrays in order. */
export function layeredWeights(root: Hdf5Group, file: string): WeightSource {
  return (layer, { names }) => {
    const group = root.groups.get(names[0]!);
    const listed = group === undefined ? [] : namesIn(group, 'weight_names');
    const arrays = listed.map((name) => {
      const array = arrayAt(group!, name.split('/'));
      if (array === undefined)
        throw damagedModel(file, `the weight ${clipped(name)} of the layer ${clipped(layer.name)} is missing`);
      return { name, array };
    });
    return names.length === 1 ? arrays.map(({ array }) => array) : named(arrays, layer.name);
  };
}

/** WeightSource by name, `model/layer/kernel`, as in a model.json. */
export function namedWeights(arrays: readonly NamedArray[]): WeightSource {
  return (layer) => named(arrays, layer.name);
}

export interface NamedArray {
  readonly name: string;
  readonly array: KerasArray;
}

function named(arrays: readonly NamedArray[], layer: string): KerasArray[] {
  return arrays.filter(({ name }) => name.split('/').slice(0, -1).includes(layer)).map(({ array }) => array);
}

/** A list of names in the attributes of a group, which Keras cuts into numbered parts if it is long. */
function namesIn({ attributes }: Hdf5Group, key: string): string[] {
  const whole = attributes.get(key);
  const parts: unknown[] = whole === undefined ? [] : [whole];
  for (let i = 0; attributes.has(`${key}${i}`); i++) parts.push(attributes.get(`${key}${i}`));
  // An empty list is an array without elements.
  return parts.flatMap((part) => (ArrayBuffer.isView(part) ? [] : [part].flat().map(String)));
}

/** `UserError` for weights that do not fit a layer. */
export function unfitting(file: string, layer: SavedLayer, fact: string): UserError {
  return new UserError(
    `${file}: layer ${clipped(layer.name)} (${clipped(layer.className)}): ${fact}`,
    `Save the model again with model.save() of Keras. ${EXPORT}`,
  );
}
