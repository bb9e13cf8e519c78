import { UserError } from '../../../base/errors.ts';
import { freeBuffers } from '../../../base/process/memory.ts';
import { blocksOf } from '../../../data/storage/sample-storage.ts';
import { Scratch } from '../../../data/storage/temporary-file.ts';

/** Bytes from which the answers of a model lie in a temporary file: of 20,000 classes they take 1.6 GB. */
const LARGE = 2 ** 26;

/** Number of answers that are copied at a time, about. */
const AT_ONCE = 2 ** 20;

/** Keeps answers, [samples, width], until the report, which compares two models at a time. A temporary file without room leaves them in memory. */
export function keptAnswers(answers: Float32Array, width: number, large = LARGE): () => Float32Array {
  if (answers.byteLength < large) return () => answers;
  try {
    const { length } = answers;
    const scratch = new Scratch('answers of a model', { type: 'float32', rowSize: width }, answers.byteLength);
    const step = width * Math.ceil(AT_ONCE / width);
    for (let at = 0; at < length; at += step) scratch.write(answers.subarray(at, at + step));
    const held = scratch.finish();
    return () => {
      freeBuffers();
      const read = new Float32Array(length);
      let at = 0;
      for (const block of blocksOf(held)) {
        read.set(block, at);
        at += block.length;
      }
      return read;
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return () => answers;
  }
}
