import { clipped, shown, UserError } from '../../base/errors.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Remedy for a file of Keras that cannot be read. */
export const EXPORT =
  'Export the model from Keras: model.export("model.onnx", format="onnx"), or tf2onnx, and use the ONNX file.';

/** A result of a layer: of its call number `node`, the output number `output`. */
export class TensorRef {
  readonly layer: string;
  readonly node: number;
  readonly output: number;

  constructor([layer, node, output]: RefText) {
    [this.layer, this.node, this.output] = [layer, node, output];
  }
}

type RefText = readonly [layer: string, node: number, output: number];

/** Arguments of a call, with a `TensorRef` in place of each tensor. */
export interface KerasCall {
  readonly args: readonly unknown[];
  readonly kwargs: Json;
}

export interface SavedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Json;
  /** True for an operation of `keras.ops`, which shares class names with layers. */
  readonly isOperation: boolean;
  readonly calls: readonly KerasCall[];
  /** The layers of a model that is used as a layer. */
  readonly model?: KerasModel;
}

export interface KerasModel {
  readonly name: string;
  readonly layers: readonly SavedLayer[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

const MODELS: ReadonlySet<string> = new Set(['Functional', 'Model', 'Sequential']);

/** Reads the configuration of a model, as Keras 2 or 3 writes it. `UserError` for a model of a Python class, and for a damaged configuration. */
export function readConfig(json: unknown, file: string): KerasModel {
  if (!isObject(json)) throw damagedModel(file, `expected the configuration of a model, received ${shown(json)}`);
  const { class_name: className, config } = json;
  if (typeof className !== 'string') throw damagedModel(file, `the model has no class_name`);
  refuseCustom(json, file);
  if (!MODELS.has(className) || (!Array.isArray(config) && !(isObject(config) && Array.isArray(config['layers']))))
    throw new UserError(
      `${file}: the model is of the Python class ${clipped(className)}, whose computation the file does not hold`,
      EXPORT,
    );
  return modelOf(className, config, file);
}

/** `UserError` for a class that is not of Keras: its name may also be that of a layer of Keras. */
function refuseCustom(
  { class_name: className, module, registered_name: registered, config }: Json,
  file: string,
): void {
  const isForeign = typeof module === 'string' && !/^(keras|tf_keras|builtins)(\.|$)/.test(module);
  const isRegistered = typeof registered === 'string' && registered.includes('>');
  if (!isForeign && !isRegistered) return;
  const name = isObject(config) && typeof config['name'] === 'string' ? ` (layer ${clipped(config['name'])})` : '';
  throw new UserError(
    `${file}: ${clipped(String(isRegistered ? registered : className))}${name} is a class of your own code, which the file does not hold`,
    EXPORT,
  );
}

function modelOf(className: string, config: unknown, file: string): KerasModel {
  if (className === 'Sequential') return sequentialOf(config, file);
  const { layers, input_layers: inputs, output_layers: outputs, name } = config as Json;
  const read = (layers as unknown[]).map((layer) => layerOf(layer, file));
  const names = new Set(read.map((layer) => layer.name));
  const ends = (list: unknown, what: string): TensorRef[] => {
    const found = refsIn(list);
    if (found.length === 0 || found.some(({ layer }) => !names.has(layer)))
      throw damagedModel(file, `${what} of the model are ${shown(list)}`);
    return found;
  };
  return {
    name: textOr(name, 'model'),
    layers: read,
    inputs: ends(inputs, 'the inputs'),
    outputs: ends(outputs, 'the outputs'),
  };
}

/** Layers in a chain; the input is the first layer, or what the first layer says of its input. */
function sequentialOf(config: unknown, file: string): KerasModel {
  const { layers, name, build_input_shape: built } = (Array.isArray(config) ? { layers: config } : config) as Json;
  const read = (layers as unknown[]).map((layer) => layerOf(layer, file));
  const [first] = read;
  if (first === undefined) throw damagedModel(file, 'the model has no layers');
  const shape = first.config['batch_input_shape'] ?? first.config['batch_shape'] ?? built;
  const input: SavedLayer = {
    name: `${first.name}_input`,
    className: 'InputLayer',
    config: { batch_shape: shape, dtype: first.className === 'Embedding' ? 'int32' : 'float32' },
    isOperation: false,
    calls: [],
  };
  const chain = first.className === 'InputLayer' ? read : [input, ...read];
  const joined = chain.map((layer, i): SavedLayer => {
    const before = chain[i - 1];
    return before === undefined
      ? layer
      : { ...layer, calls: [{ args: [new TensorRef([before.name, 0, 0])], kwargs: {} }] };
  });
  const [start, end] = [chain[0]!, chain.at(-1)!].map((layer) => new TensorRef([layer.name, 0, 0]));
  return { name: textOr(name, 'sequential'), layers: joined, inputs: [start!], outputs: [end!] };
}

function layerOf(json: unknown, file: string): SavedLayer {
  if (!isObject(json)) throw damagedModel(file, `a layer is ${shown(json)}`);
  const { class_name: className, config, name: outer, inbound_nodes: nodes, module } = json;
  if (typeof className !== 'string') throw damagedModel(file, `a layer has no class_name: ${shown(json)}`);
  refuseCustom(json, file);
  const own = isObject(config) ? config : {};
  const name = textOr(own['name'], textOr(outer, ''));
  if (name === '') throw damagedModel(file, `a layer of the class ${className} has no name`);
  const isModel = MODELS.has(className) && (Array.isArray(config) || Array.isArray(own['layers']));
  return {
    name,
    className,
    config: own,
    isOperation: typeof module === 'string' ? /\.ops(\.|$)/.test(module) : isOperationOfHdf5(own, nodes),
    calls: Array.isArray(nodes) ? nodes.map((node) => callOf(node, file)) : [],
    ...(isModel && { model: modelOf(className, config, file) }),
  };
}

/** True for an operation in an HDF5 file of Keras 3, which leaves out modules: every layer that is called says if it is trainable. */
function isOperationOfHdf5(config: Json, calls: unknown): boolean {
  return Array.isArray(calls) && calls.some(isObject) && !('trainable' in config);
}

/** A call as Keras 3 writes it, `{args, kwargs}`, or as a list of tensors with the arguments beside the first, as in Keras 2. */
function callOf(node: unknown, file: string): KerasCall {
  if (isObject(node)) {
    const { args, kwargs } = node;
    if (!Array.isArray(args)) throw damagedModel(file, `a call of a layer is ${shown(node)}`);
    return { args: args.map(revived), kwargs: revived(kwargs ?? {}) as Json };
  }
  if (!Array.isArray(node)) throw damagedModel(file, `a call of a layer is ${shown(node)}`);
  const isOne = typeof node[0] === 'string';
  const tensors = (isOne ? [node] : node) as readonly (readonly unknown[])[];
  const refs = tensors.map((part) => {
    if (Array.isArray(part) && isRef(part.slice(0, 3))) return new TensorRef(part as unknown as RefText);
    throw damagedModel(file, `a call of a layer is ${shown(node)}`);
  });
  const [[, , , kwargs = {}] = []] = tensors;
  return { args: [refs.length === 1 ? refs[0] : refs], kwargs: legacy(kwargs) as Json };
}

/** A value with Keras 3's objects replaced: tensors by references, tuples and arrays by lists. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  if (!isObject(value)) return value;
  const { class_name: className, config } = value;
  if (className === '__keras_tensor__' && isObject(config) && isRef(config['keras_history']))
    return new TensorRef(config['keras_history']);
  if (className === '__tuple__') return revived(value['items']);
  if ((className === '__numpy__' || className === '__tensor__') && isObject(config)) return config['value'];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revived(one)]));
}

/** Arguments of Keras 2, in which `[layer, call, output]` is a tensor. */
function legacy(value: unknown): unknown {
  if (isRef(value)) return new TensorRef(value);
  if (Array.isArray(value)) return value.map(legacy);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, legacy(one)]));
}

function isRef(value: unknown): value is RefText {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [layer, node, output] = value as readonly unknown[];
  return typeof layer === 'string' && Number.isInteger(node) && Number.isInteger(output);
}

/** References in a list, a mapping, or alone. */
export function refsIn(value: unknown): TensorRef[] {
  if (value instanceof TensorRef) return [value];
  if (isRef(value)) return [new TensorRef(value)];
  if (Array.isArray(value)) return value.flatMap(refsIn);
  return isObject(value) ? Object.values(value).flatMap(refsIn) : [];
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TensorRef);
}

/** A text, or a usual one in place of anything else. */
export function textOr(value: unknown, usual: string): string {
  return typeof value === 'string' ? value : usual;
}

export function damagedModel(file: string, fact: string): UserError {
  return new UserError(`${file}: ${fact}`, 'Save the model again with model.save() of Keras; this file is damaged.');
}
