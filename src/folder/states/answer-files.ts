import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { exists, writeFileAtomic } from '../../base/files.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { readSealed } from '../../files/safetensors-file.ts';
import { seal } from '../../formats/sealed.ts';

/** Files of a teacher's answers in a folder that several processes may write to: a file is complete or absent. */
export interface AnswerFiles<Key> {
  /** Undefined for a missing file, and with a warning for a damaged file or other answers. */
  load(key: Key): Promise<Safetensors | undefined>;
  save(key: Key, content: Safetensors): Promise<void>;
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
  };
}
