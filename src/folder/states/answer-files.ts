import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { exists, writeFileAtomic } from '../../base/files.ts';
import { memoryText } from '../../base/process/memory.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { readSealed } from '../../files/safetensors-file.ts';
import { seal } from '../../formats/sealed.ts';

/** Files of a teacher's answers in a folder that several processes may write to: a file is complete or absent. */
export interface AnswerFiles<Key> {
  /** Undefined for a missing file, and with a warning for a damaged file or other answers. */
  load(key: Key): Promise<Safetensors | undefined>;
  save(key: Key, content: Safetensors): Promise<void>;
  /** @throws UserError if the disk has less room than this number of bytes */
  refuseWithoutRoom(bytes: number): Promise<void>;
}

/** Free bytes of the disk of a folder that may not be there yet; undefined where the system does not say. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    const parent = path.dirname(folder);
    return parent === folder ? undefined : freeBytes(parent);
  }
}

/** `isOf`: true for content that belongs to this key. */
export function answerFiles<Key>(
  folder: string,
  nameOf: (key: Key) => string,
  warn: (message: string) => void,
  isOf: (content: Safetensors, key: Key) => boolean = () => true,
): AnswerFiles<Key> {
  const fileOf = (key: Key): string => path.join(folder, `${nameOf(key)}.safetensors`);
  return {
    load: async (key) => {
      const file = fileOf(key);
      if (!(await exists(file))) return undefined;
      try {
        const content = await readSealed(file);
        if (isOf(content, key)) return content;
        warn(`${file}: its content does not match its name; the teacher answers again`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        warn(`${error.message}; the teacher answers again`);
      }
      return undefined;
    },
    save: (key, content) => writeFileAtomic(fileOf(key), seal(content)),
    refuseWithoutRoom: async (bytes) => {
      const free = await freeBytes(folder);
      if (free === undefined || bytes <= free) return;
      throw new UserError(
        `${folder}: the answers of the teacher take ${memoryText(bytes)}, and the disk has ${memoryText(free)} free`,
        'Store fewer: distill.softTargets.top keeps the largest logits of each answer, distill.softTargets.views says how many views have one. Or free disk space, or choose another folder with --out.',
      );
    },
  };
}
