import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenData } from '../../src/tools/init/data.ts';
import { temporaryFolder } from './folder.ts';

/** A new folder for each test, whose data `limbeck init` recognizes. */
export function seenFolder() {
  const folder = temporaryFolder();
  const file = (...names: string[]): string => path.join(folder(), ...names);
  const put = async (name: string, content: string): Promise<void> => {
    await mkdir(path.dirname(file(name)), { recursive: true });
    await writeFile(file(name), content);
  };
  return {
    ...{ folder, file, put },
    /** Writes empty files. */
    files: async (...names: readonly string[]): Promise<void> => {
      for (const name of names) await put(name, '');
    },
    seenIn: (name: string) => seenData(file(name)),
  };
}
