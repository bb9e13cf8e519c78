import { stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { readText } from '../base/files.ts';
import type { DatasetConfig } from './config.ts';
import { readUnpacked } from './readers/source.ts';

/** A data set in the folder `datasets/`, as its `index.json` describes it. */
export interface CatalogEntry {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly license: string;
  readonly source: string;
  /** Absolute path of a description of the data set; for data that are not included it says how to get them. */
  readonly readme: string;
  readonly sampleShape: readonly number[];
  readonly classNames: readonly string[];
  /** Number of samples per split. */
  readonly splits: Readonly<Record<string, number>>;
  /** Files with absolute paths; `bytes` and `sha256` refer to the decompressed file. */
  readonly files: readonly CatalogFile[];
  /** The recipe section `dataset` that loads it, with absolute paths. */
  readonly dataset: DatasetConfig;
  /** True if all files exist. */
  readonly available: boolean;
  readonly missing: readonly string[];
  /** Bytes of the existing files, as stored. */
  readonly bytesOnDisk: number;
}

interface CatalogFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256?: string;
}

/** Data sets that the folder `root` (`datasets/`) describes, in the order of its `index.json`. */
export async function listDatasets(root: string): Promise<CatalogEntry[]> {
  const file = path.join(root, 'index.json');
  const text = await readText(file);
  let entries: CatalogEntry[];
  try {
    entries = JSON.parse(text) as CatalogEntry[];
  } catch (error) {
    throw new UserError(`${file}: not valid JSON: ${(error as Error).message}`, 'Restore it from the repository.');
  }
  return Promise.all(entries.map((entry) => look(entry, root)));
}

async function look(entry: CatalogEntry, root: string): Promise<CatalogEntry> {
  const files = entry.files.map((file) => ({ ...file, path: path.join(root, file.path) }));
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file.path).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  const missing = files.filter((_, i) => sizes[i] === undefined).map((file) => file.path);
  return {
    ...entry,
    dataset: absolute(entry.dataset, root) as DatasetConfig,
    files,
    missing,
    readme: path.join(root, entry.readme),
    available: missing.length === 0,
    bytesOnDisk: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
  };
}

/** Copies a configuration with absolute paths under `train`, `validation` and `test`. */
function absolute(value: unknown, root: string): unknown {
  if (typeof value === 'string') return path.join(root, value);
  if (typeof value !== 'object' || value === null) return value;
  const splits = ['train', 'validation', 'test'];
  const inside = !('type' in value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, inside || splits.includes(key) ? absolute(item, root) : item]),
  );
}

/** Problems with the files of a data set, one sentence each; empty if sizes and checksums are right. */
export async function verifyDataset(entry: CatalogEntry): Promise<string[]> {
  const problems = entry.missing.map((file) => `${file}: missing`);
  for (const file of entry.files) {
    if (entry.missing.includes(file.path)) continue;
    const bytes = await readUnpacked(file.path);
    if (bytes.length !== file.bytes) {
      problems.push(`${file.path}: ${bytes.length} bytes when decompressed, expected ${file.bytes}`);
    } else if (file.sha256 !== undefined && sha256(bytes) !== file.sha256) {
      problems.push(`${file.path}: the checksum differs from the one in index.json`);
    }
  }
  return problems;
}
