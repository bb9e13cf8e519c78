import { serialization } from '@tensorflow/tfjs-core';
import { clipped, shown, UserError } from '../../base/errors.ts';
import type { KerasLayer } from './layers.ts';
import { kerasLayer, registerKerasLayers } from './layers.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys of a layer that do not affect inference, whatever their value. */
const ANY = new Set(
  (
    'name trainable dtype batch_input_shape batch_shape build_config compile_config layer backward_layer cell cells ' +
    'seed synchronized fused implementation renorm_clipping renorm_momentum ragged sparse optional input_dtype input_length'
  ).split(' '),
);
const ABOUT_TRAINING = /_(initializer|regularizer|constraint)$/;

/** Values at which an ignored key has no effect. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  dilation_rate: [1],
  groups: [1],
  output_padding: [],
  data_format: ['channels_last'],
  negative_slope: [0],
  threshold: [0],
  keepdims: [false],
  zero_output_for_mask: [false],
  time_major: [false],
  stateful: [false],
  rms_scaling: [false],
  renorm: [false],
  reset_after: [false],
  crop_to_aspect_ratio: [false],
  pad_to_aspect_ratio: [false],
  fill_mode: ['constant'],
  fill_value: [0],
  antialias: [false],
};

/** Keys that a layer of tfjs-layers uses but does not return in its configuration. */
const READ_UNTOLD: Readonly<Record<string, readonly string[]>> = { SeparableConv2D: ['depth_multiplier'] };

/** Keys that a layer of tfjs-layers keeps but ignores, or interprets differently from Keras. */
const KEPT_UNREAD: Readonly<Record<string, readonly string[]>> = {
  DepthwiseConv2D: ['dilation_rate'],
  // tfjs-layers adds the bias along the wrong axis.
  SeparableConv2D: ['data_format'],
  // tfjs-layers samples other positions, whatever the interpolation.
  Resizing: ['interpolation'],
  // Exported models keep no state between calls.
  ...Object.fromEntries(['SimpleRNN', 'GRU', 'LSTM', 'RNN', 'ConvLSTM2D'].map((name) => [name, ['stateful']])),
};

/**
 * The topology of a model.json with layers that tfjs-layers computes correctly. tfjs-layers ignores what it does not know: `UserError` by layer and
 * key for settings that would change the numbers.
 */
export function forTfjs(topology: object, file: string): object {
  registerKerasLayers();
  const { model_config: wrapped, keras_version: version = '' } = topology as Json & { keras_version?: string };
  const source: Source = { file, isOwn: version.startsWith('tfjs'), isKeras3: version.startsWith('3') };
  if (wrapped === undefined || wrapped === null) return layerOf(topology as Json, source);
  return { ...topology, model_config: layerOf(wrapped as Json, source) };
}

interface Source {
  readonly file: string;
  /** True for a file written by tfjs-layers itself, which interprets it as intended. */
  readonly isOwn: boolean;
  readonly isKeras3: boolean;
}

/** A layer, or a wrapper or model with the layers inside. */
function layerOf(json: Json, source: Source): Json {
  const { class_name: className, config } = json as { class_name?: unknown; config?: Json };
  if (typeof className !== 'string' || typeof config !== 'object' || config === null) return json;
  // Old files of sequential models.
  if (Array.isArray(config)) return { ...json, config: config.map((layer) => layerOf(layer as Json, source)) };
  const inside: Record<string, unknown> = {};
  for (const key of ['layers', 'layer', 'cell', 'cells']) {
    const found = config[key];
    if (Array.isArray(found)) inside[key] = found.map((one) => layerOf(one as Json, source));
    else if (typeof found === 'object' && found !== null) inside[key] = layerOf(found as Json, source);
  }
  if ('layers' in inside) return { ...json, config: { ...config, ...inside } };
  const better = betterLayer(className, config, source);
  check(className, config, better?.reads ?? [], source);
  return { ...json, class_name: better?.className ?? className, config: { ...(better?.config ?? config), ...inside } };
}

function betterLayer(className: string, config: Json, { isOwn }: Source): KerasLayer | undefined {
  // The interpretation of tfjs-layers is what a file of its own was trained with.
  const isMeant = isOwn && (className === 'UpSampling2D' || className === 'DepthwiseConv2D');
  return isMeant ? undefined : kerasLayer(className, config);
}

function check(className: string, config: Json, reads: readonly string[], source: Source): void {
  const known = keysOf(className, config);
  if (known === undefined) return; // tfjs-layers itself reports an unknown layer or a missing key.
  // tfjs-layers interprets its own files as intended, except for ignored keys.
  const kept = source.isOwn && className !== 'DepthwiseConv2D' ? [] : (KEPT_UNREAD[className] ?? []);
  for (const [key, value] of Object.entries(config)) {
    const isRead = reads.includes(key) || (known.has(key) && !kept.includes(key));
    const isIrrelevant = ANY.has(key) || ABOUT_TRAINING.test(key) || isHarmless(key, value);
    if (!isRead && !isIrrelevant) refuse(className, config, key, value, source);
    // Keras 3 defines it as relu6(x + 3) / 6, tfjs-layers and Keras 2 as 0.2 · x + 0.5 between 0 and 1.
    if (source.isKeras3 && value === 'hard_sigmoid') refuse(className, config, key, value, source);
  }
  if (className === 'Bidirectional') checkBackward(config, source);
}

function isHarmless(key: string, value: unknown): boolean {
  const values = Array.isArray(value) ? (value as unknown[]) : [value];
  return values.every((one) => one === null || (HARMLESS[key]?.includes(one) ?? false));
}

function refuse(className: string, config: Json, key: string, value: unknown, { file }: Source): never {
  throw new UserError(
    `${file}: layer ${clipped(typeof config['name'] === 'string' ? config['name'] : 'without a name')} (${className}): tfjs-layers does not compute with ${key} ${shown(value)}`,
    'Save the Keras model as ONNX (python -m tf2onnx.convert) and use that file, or build the layer without it.',
  );
}

/** Settings that a layer of this class returns in its configuration, in Keras' spelling: those that it has read. */
function keysOf(className: string, config: Json): ReadonlySet<string> | undefined {
  const [layerClass, fromConfig] = serialization.SerializationMap.getMap().classNameMap[className] ?? [];
  if (layerClass === undefined || fromConfig === undefined) return undefined;
  // A wrapper builds its inner layer from the settings, and returns them.
  if (config['layer'] !== undefined) return new Set(['layer', 'merge_mode']);
  try {
    const made = fromConfig(layerClass, camelCased(config) as serialization.ConfigDict);
    return new Set([...Object.keys(made.getConfig()).map(snakeCased), ...(READ_UNTOLD[className] ?? [])]);
  } catch {
    return undefined;
  }
}

/** tfjs-layers builds the backward layer of a Bidirectional from the forward one. */
function checkBackward(config: Json, source: Source): void {
  const [forward, backward] = [config['layer'], config['backward_layer']] as [Json, Json | null | undefined];
  if (backward === null || backward === undefined) return;
  const plain = ({ class_name: name, config: own }: Json): string => {
    const entries = Object.entries(own as Json).filter(([key]) => !['name', 'go_backwards'].includes(key));
    return JSON.stringify([name, entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
  };
  if (plain(forward) !== plain(backward))
    refuse('Bidirectional', config, 'backward_layer', (backward['config'] as Json)['name'], source);
}

/** Keras' names and values in the spelling of tfjs-layers. */
function camelCased(value: unknown): unknown {
  if (typeof value === 'string') return camel(value);
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [camel(key), key === 'name' ? one : camelCased(one)]),
  );
}

function camel(text: string): string {
  return text.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCased(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
