import { clipped, UserError } from '../../base/errors.ts';
import type { Model, OnnxDim, ValueInfo } from '../onnx/model.ts';
import type { SavedLayer, KerasModel, TensorRef } from './config.ts';
import { damagedModel, EXPORT, refsIn } from './config.ts';
import { LayerContext, OnnxParts } from './context.ts';
import type { Size, KerasValue } from './context.ts';
import type { KerasArray } from './hdf5.ts';
import { operation } from './layers/arithmetic.ts';
import { ruleOf } from './layers/table.ts';
import { groupNames } from './weights.ts';
import type { LayerPlace, WeightSource } from './weights.ts';

/** Set of operators of the ONNX files that are made: GroupNormalization has a scale for each channel from 21 on. */
const OPSET = 21;
const IR_VERSION = 10;

export interface KerasSource {
  readonly file: string;
  readonly model: KerasModel;
  readonly weights: WeightSource;
  /** Version of Keras that wrote the file. */
  readonly version: string;
}

/**
 * A model of Keras as an ONNX model, with its weights under the names of its layers: `conv/kernel`. Its inputs and outputs are those of the file, with
 * channels last. `UserError` by layer for what has no rule here, and for weights that do not fit.
 */
export function kerasToOnnx({ file, model, weights, version }: KerasSource): Model {
  const parts = new OnnxParts();
  const isKeras3 = !/^[12]\./.test(version);
  const walk = new Walk({ file, weights, isKeras3, parts });
  const inputs = model.inputs.map((ref) => {
    const layer = model.layers.find(({ name }) => name === ref.layer)!;
    return inputOf(layer, parts, file);
  });
  const results = walk.model(model, inputs, { names: [], group: [] }, '');
  const outputs = results.map((value, i) => {
    const at = model.outputs[i]!;
    // A layer may give several outputs, and an input may be one.
    const name = parts.unique(`${at.layer}${at.output === 0 ? '' : `_${at.output}`}_output`);
    const tensor = value.isFirst ? lastOf(parts, value) : value.tensor;
    parts.nodes.push({ op: 'Identity', domain: '', name, inputs: [tensor], outputs: [name], attrs: new Map() });
    return end(name, value);
  });
  return {
    irVersion: IR_VERSION,
    opsets: new Map([['', OPSET]]),
    producerName: 'limbeck',
    producerVersion: '',
    graph: {
      name: model.name,
      nodes: parts.nodes,
      initializers: parts.initializers,
      inputs: inputs.map((value) => end(value.tensor, value)),
      outputs,
      valueInfos: [],
    },
    metadata: new Map(),
    functions: [],
  };
}

function lastOf(parts: OnnxParts, { tensor, shape }: KerasValue): string {
  const rank = shape.length;
  return parts.turned(tensor, tensor, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
}

function end(name: string, { shape, isInteger }: KerasValue): ValueInfo {
  const dims = shape.map((size, axis): OnnxDim => (axis === 0 ? 'batch' : (size ?? `${name}_${axis}`)));
  return { name, dtype: isInteger === true ? 'int32' : 'float32', dims };
}

const FLOATS = /^(float|bfloat|mixed_)/;

function inputOf({ name, className, config }: SavedLayer, parts: OnnxParts, file: string): KerasValue {
  const stated = config['batch_shape'] ?? config['batch_input_shape'];
  if (className !== 'InputLayer' || !Array.isArray(stated) || stated.length < 1)
    throw damagedModel(file, `the input ${clipped(name)} has no shape`);
  const isSize = (size: unknown): size is Size => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
  if (!stated.every(isSize))
    throw damagedModel(file, `the input ${clipped(name)} has the shape ${JSON.stringify(stated)}`);
  const dtype = typeof config['dtype'] === 'string' ? config['dtype'] : 'float32';
  if (!FLOATS.test(dtype) && !/^u?int/.test(dtype))
    throw new UserError(
      `${file}: its input ${clipped(name)} is of the type ${clipped(dtype)}, expected numbers`,
      EXPORT,
    );
  const shape: Size[] = [null, ...stated.slice(1)];
  return { tensor: parts.unique(name), shape, isFirst: false, isInteger: !FLOATS.test(dtype) };
}

interface Around {
  readonly file: string;
  readonly weights: WeightSource;
  readonly isKeras3: boolean;
  readonly parts: OnnxParts;
}

/** Follows the calls of a model's layers from its outputs back to its inputs. */
class Walk {
  readonly #at: Around;
  readonly #arrays = new Map<SavedLayer, readonly KerasArray[]>();
  readonly #stored = new Map<KerasArray, string>();

  constructor(at: Around) {
    this.#at = at;
  }

  /** Calls a model inside another one and returns its results. `prefix`: begins the names of its layers, which differ from the outer model's so. */
  model(model: KerasModel, inputs: readonly KerasValue[], place: LayerPlace, prefix: string): KerasValue[] {
    const { file } = this.#at;
    const groups = groupNames(model);
    const layers = new Map(
      model.layers.map((layer, i) => {
        const at = { names: [...place.names, layer.name], group: [...place.group, 'layers', groups[i]!] };
        return [layer.name, { layer, place: at }] as const;
      }),
    );
    const made = new Map<string, readonly KerasValue[]>();
    model.inputs.forEach(({ layer }, i) => made.set(`${layer} 0`, [inputs[i]!]));
    const open = new Set<string>();
    const valueOf = ({ layer: name, node, output }: TensorRef): KerasValue => {
      const key = `${name} ${node}`;
      const found = layers.get(name);
      const call = found?.layer.calls[node];
      if (!made.has(key)) {
        if (found === undefined || call === undefined || open.has(key))
          throw damagedModel(
            file,
            `a layer takes the output ${output} of the call ${node} of ${clipped(name)}, which there is not`,
          );
        open.add(key);
        made.set(key, this.#called(found.layer, node, found.place, prefix, valueOf));
      }
      const value = made.get(key)![output];
      if (value === undefined) throw damagedModel(file, `${clipped(name)} has no output ${output}`);
      return value;
    };
    return model.outputs.map(valueOf);
  }

  #called(
    layer: SavedLayer,
    node: number,
    place: LayerPlace,
    prefix: string,
    valueOf: (ref: TensorRef) => KerasValue,
  ): readonly KerasValue[] {
    const call = layer.calls[node]!;
    const { file } = this.#at;
    const scope = `${prefix}${layer.name}`;
    const refs = [...refsIn(call.args), ...refsIn(call.kwargs)];
    const inputs = refs.map(valueOf);
    if (inputs.length === 0) throw damagedModel(file, `the layer ${clipped(layer.name)} is called without an input`);
    if (layer.model !== undefined) return this.model(layer.model, inputs, place, `${scope}/`);
    const { parts, isKeras3 } = this.#at;
    const arrays = this.#arraysOf(layer, place);
    const k = new LayerContext(layer, call, { parts, file, isKeras3, scope, arrays, stored: this.#stored });
    const byRef = new Map(refs.map((ref, i) => [ref, inputs[i]!]));
    const operated = operationOf(layer, k, (value) => byRef.get(value as TensorRef) ?? value);
    const results = operated ?? ruleOf(k, layer.className)(k, inputs);
    if (operated === undefined) {
      k.checkRead();
      refuseCallMask(k);
    }
    k.checkWeights();
    return [results].flat();
  }

  #arraysOf(layer: SavedLayer, place: LayerPlace): readonly KerasArray[] {
    const arrays = this.#arrays.get(layer) ?? (layer.isOperation ? [] : this.#at.weights(layer, place));
    this.#arrays.set(layer, arrays);
    return arrays;
  }
}

/** Masks leave out steps, which these nodes do not. */
function refuseCallMask(k: LayerContext): void {
  const { mask } = k.call.kwargs;
  if (refsIn(mask).length > 0) k.fail('cannot compute with a mask');
}

/** Result of an operation of `keras.ops`, or of TensorFlow in a file of Keras 2; undefined for a layer. */
function operationOf(
  layer: SavedLayer,
  k: LayerContext,
  valueOf: (argument: unknown) => unknown,
): KerasValue | undefined {
  const { args, kwargs } = k.call;
  const isTensorFlow = layer.className === 'TFOpLambda';
  if (!layer.isOperation && !isTensorFlow) return undefined;
  const stated = isTensorFlow ? String(layer.config['function']).split('.').at(-1)! : layer.className;
  const name = stated.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
  const named = ['x1', 'x2', 'x', 'y'].flatMap((key) => (kwargs[key] === undefined ? [] : [kwargs[key]]));
  const operands = [...args, ...named].map((one) => valueOf(one));
  return operation(k, name, operands) ?? k.fail(`is the operation ${name}, which Limbeck does not compute`);
}
