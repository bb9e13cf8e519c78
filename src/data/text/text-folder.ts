import { readBytes } from '../../base/files.ts';
import type { TableOptions } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import { classFiles } from '../class-folder.ts';
import type { OpenText } from './open.ts';
import { TextSink } from './sink.ts';

const TEXTS = { extensions: new Set(['.txt']), what: 'texts', kinds: 'text files (.txt)' };

/** One sub-folder per class, with a text in each .txt file at any depth below it, in order of their paths. */
export async function readTextFolder(folder: string, text: OpenText, options: TableOptions): Promise<RawSplit> {
  const { files, values, classNames, notes } = await classFiles(folder, TEXTS);
  const sink = new TextSink(folder, [''], text, options, files.length);
  for (const [i, file] of files.entries()) {
    const where = (): string => file;
    sink.begin();
    sink.setValue(0, await readBytes(file), where);
    sink.end([classNames[values[i]!]!], where);
  }
  const split = sink.finish();
  return { ...split, notes: [...(split.notes ?? []), ...notes] };
}
