import { parsedJson } from '../../../base/json.ts';
import { associatedFiles, LABELS_FILE } from './archive.ts';
import { decodeMetadata } from './metadata.ts';
import type { Fields } from '../schema/notation.ts';
import type { TfliteModel } from '../types.ts';

/** Name of the metadata buffer with our own entries, as JSON, which the standard metadata do not provide for. */
export const ENTRIES_NAME = 'LIMBECK';

export function encodeEntries(entries: ReadonlyMap<string, string>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
}

/**
 * Metadata under the names in ONNX files: our own entries, and the class names and the normalization of the first input from the standard metadata.
 * Damaged entries are left out: the model runs without them.
 */
export function readEntries(model: TfliteModel, bytes: Uint8Array): Map<string, string> {
  const entries = new Map<string, string>();
  const labels = associatedFiles(bytes)[LABELS_FILE];
  if (labels !== undefined) entries.set('labels', JSON.stringify(labels.replace(/\n$/, '').split(/\r?\n/)));
  const normalization = standardNormalization(model);
  if (normalization !== undefined) entries.set('preprocessing', JSON.stringify(normalization));
  for (const [key, value] of Object.entries(ownEntries(model))) if (typeof value === 'string') entries.set(key, value);
  return entries;
}

function ownEntries(model: TfliteModel): Record<string, unknown> {
  const entry = model.metadata?.find(({ name }) => name === ENTRIES_NAME);
  const data = entry && model.buffers[entry.buffer]?.data;
  try {
    const value: unknown = parsedJson(new TextDecoder().decode(data ?? new Uint8Array()));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The format has (value - mean) / std, so the scale is 1. */
function standardNormalization(model: TfliteModel): object | undefined {
  const [graph] = (decodeMetadata(model)?.['subgraphMetadata'] ?? []) as Fields[];
  const [input] = (graph?.['inputTensorMetadata'] ?? []) as Fields[];
  const units = (input?.['processUnits'] ?? []) as { options?: Fields }[];
  const options = units.map((unit) => unit.options).find((one) => one?.['type$'] === 'NormalizationOptions');
  if (options === undefined) return undefined;
  const main = model.subgraphs[0];
  const shape = main?.tensors[main.inputs[0] ?? -1]?.shape?.slice(1) ?? [];
  return { shape, scale: 1, mean: options['mean'], std: options['std'] };
}
