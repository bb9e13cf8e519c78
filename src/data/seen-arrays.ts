import { stat } from 'node:fs/promises';
import { readBytes } from '../base/files.ts';
import type { SeenForm } from '../recipe/init.ts';
import { npyHeader } from './npy.ts';
import { npyEntries } from './zip.ts';

/** Usual names of the arrays of samples and of labels in an archive. */
const SAMPLES = ['x', 'x_train', 'X', 'samples', 'data', 'images', 'features', 'inputs'];
const LABELS = ['y', 'y_train', 'Y', 'labels', 'label', 'target', 'targets'];
/** Bytes of a file, at most: larger ones are for the reader alone. */
const LOOKED_INTO = 2 ** 28;
/** Axes of an array of rows. */
const TABLE = 2;

/** The arrays of an .npz archive that are samples and labels, and whether samples are rows of a table. */
export async function arrayForm(file: string): Promise<SeenForm> {
  if ((await stat(file)).size > LOOKED_INTO) return {};
  const bytes = await readBytes(file);
  if (!/\.npz$/i.test(file)) return { isTable: npyHeader(bytes, file).shape.length <= TABLE };
  const entries = new Map(
    Object.entries(await npyEntries(bytes, file)).map(([name, data]) => [name.replace(/\.npy$/, ''), data]),
  );
  const has = (names: readonly string[]): string | undefined => names.find((name) => entries.has(name));
  const [samples, labels] = [has(SAMPLES), has(LABELS)];
  if (samples === undefined) return {};
  const isTable = npyHeader(entries.get(samples)!, `${file}: ${samples}`).shape.length <= TABLE;
  return { isTable, ...(labels !== undefined && { arrays: { samples, labels } }) };
}
