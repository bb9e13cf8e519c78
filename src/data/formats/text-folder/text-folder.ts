import { readBytes } from '../../../base/files.ts';
import type { TableOptions } from '../../config.ts';
import type { RawSplit } from '../../dataset.ts';
import { allFiles, classFiles } from '../../readers/class-folder.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import type { RoomGiven } from '../../storage/memory-budget.ts';
import type { OpenText } from '../../text/open.ts';
import { textSink } from '../../text/word-sink.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SplitReader } from '../../readers/registry.ts';

const TEXTS = { extensions: new Set(['.txt']), what: 'texts', kinds: 'text files (.txt)' };

/** Reads a sub-folder per class, with a text in each .txt file at any depth, in order of their paths. */
export async function readTextFolder(
  folder: string,
  text: OpenText,
  { withoutLabels = false, ...options }: TableOptions & LabelsRead & RoomGiven,
): Promise<RawSplit> {
  const found = withoutLabels ? undefined : await classFiles(folder, TEXTS);
  const { files, notes } = found ?? (await allFiles(folder, TEXTS));
  const sink = textSink(folder, [''], text, options, files.length, found === undefined ? [] : undefined);
  for (const [i, file] of files.entries()) {
    const where = (): string => file;
    sink.begin();
    sink.setValue(0, withoutMark(await readBytes(file)), where);
    sink.end(found === undefined ? [] : [found.classNames[found.values[i]!]!], where);
  }
  const split = sink.finish();
  return { ...split, notes: [...(split.notes ?? []), ...notes] };
}

/** Drops the byte order mark that some editors write. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'text-folder' }>> = {
  shares: 'parsed',
  read: (source, options) => readTextFolder(source, options.text!, options),
};
