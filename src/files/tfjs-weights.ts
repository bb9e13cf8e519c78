import type { io } from '@tensorflow/tfjs-core';
import { concatBytes } from '../base/bytes.ts';
import { shown, UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import { findBeside } from './beside.ts';

interface Group {
  readonly paths: readonly string[];
  readonly weights: io.WeightsManifestEntry[];
}

/** Reads the weights of a `model.json`: its manifest, and the bytes of the files that it names. */
export async function readWeights(
  file: string,
  manifest: unknown,
): Promise<{ specs: io.WeightsManifestEntry[]; bytes: Uint8Array }> {
  if (!isManifest(manifest)) {
    throw new UserError(
      `${file}: weightsManifest: expected a list of {paths, weights}, received ${shown(manifest)}`,
      'Save the model again; this file is damaged.',
    );
  }
  const parts = await Promise.all(
    manifest.flatMap(({ paths }) => paths).map(async (name) => readBytes(await findBeside(file, name))),
  );
  return { specs: manifest.flatMap(({ weights }) => weights), bytes: concatBytes(parts) };
}

/** Names of the weight files of a `model.json`, relative to its folder; empty for a damaged manifest, which `readWeights` reports. */
export function weightFiles(manifest: unknown): readonly string[] {
  return isManifest(manifest) ? manifest.flatMap(({ paths }) => paths) : [];
}

function isManifest(value: unknown): value is readonly Group[] {
  return Array.isArray(value) && value.every(isGroup);
}

function isGroup(value: unknown): value is Group {
  if (typeof value !== 'object' || value === null) return false;
  const { paths, weights } = value as Record<string, unknown>;
  const isText = (name: unknown): boolean => typeof name === 'string' && name !== '' && !name.includes('\0');
  return Array.isArray(paths) && paths.every(isText) && Array.isArray(weights) && weights.every(isSpec);
}

function isSpec(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, shape, dtype } = value as Record<string, unknown>;
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  return typeof name === 'string' && typeof dtype === 'string' && Array.isArray(shape) && shape.every(isSize);
}
