import { UserError } from '../../../base/errors.ts';
import { freeBuffers } from '../../../base/process/memory.ts';
import { blocksOf } from '../../../data/storage/sample-storage.ts';
import type { HeldSamples } from '../../../data/storage/sample-storage.ts';
import { Scratch } from '../../../data/storage/temporary-file.ts';

/** Bytes from which the answers of a model lie in a temporary file: of 20,000 classes they take 1.6 GB. */
const LARGE = 2 ** 26;

/** Number of answers that are copied at a time, about. */
const AT_ONCE = 2 ** 20;

/** Keeps answers, [samples, width], until the report, which compares two models at a time. A temporary file without room leaves them in memory. */
export function keptAnswers(answers: Float32Array, width: number, large = LARGE): () => Float32Array {
  const stored = answers.byteLength < large ? undefined : storedIn(answers, width);
  // Closures of one function keep alive what any of them uses, so none here uses the answers.
  return stored === undefined ? inMemory(answers) : read.bind(undefined, stored, answers.length);
}

function inMemory(answers: Float32Array): () => Float32Array {
  return () => answers;
}

function storedIn(answers: Float32Array, width: number): HeldSamples | undefined {
  try {
    const scratch = new Scratch('answers of a model', { type: 'float32', rowSize: width }, answers.byteLength);
    const step = width * Math.ceil(AT_ONCE / width);
    for (let at = 0; at < answers.length; at += step) scratch.write(answers.subarray(at, at + step));
    return scratch.finish();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

function read(stored: HeldSamples, length: number): Float32Array {
  freeBuffers();
  const answers = new Float32Array(length);
  let at = 0;
  for (const block of blocksOf(stored)) {
    answers.set(block, at);
    at += block.length;
  }
  return answers;
}
