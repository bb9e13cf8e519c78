import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { asUserError, firstMissing, removeEmpty } from '../base/files.ts';
import { watchStages } from '../graph/stages.ts';

/** A dump that goes on until it is ended. */
export interface Dump {
  readonly count: () => number;
  /** A folder that was made for it goes where nothing was written. */
  readonly end: () => Promise<void>;
}

const INDEX = 'index.txt';

/**
 * Writes every graph that this process makes from now on into `folder`, a text for each stage, numbered as they come:
 * `0001-traced.txt`, and a line for each in `index.txt`. A text that was written before is left out. What an earlier dump left in the
 * folder is deleted.
 */
export async function dumpGraphs(folder: string): Promise<Dump> {
  const made = await firstMissing(folder);
  try {
    await mkdir(folder, { recursive: true });
    for (const file of await readdir(folder)) {
      if (file === INDEX || /^\d{4,}-[a-z-]+\.txt$/.test(file)) await rm(path.join(folder, file));
    }
  } catch (error) {
    throw asUserError(error, folder, 'write');
  }
  const known = new Set<string>();
  watchStages((stage, text) => {
    const hash = sha256(stage, text);
    if (known.has(hash)) return;
    known.add(hash);
    const file = `${String(known.size).padStart(4, '0')}-${stage}.txt`;
    // Graphs are made where nothing can be waited for.
    try {
      writeFileSync(path.join(folder, file), `${text}\n`);
      appendFileSync(path.join(folder, INDEX), `${file}  ${summaryOf(text)}\n`);
    } catch (error) {
      throw asUserError(error, folder, 'write');
    }
  });
  return {
    count: () => known.size,
    end: async () => {
      watchStages(undefined);
      if (made !== undefined && known.size === 0) await removeEmpty(folder, made);
    },
  };
}

/** Inputs and outputs of a text's graph, by which it is found again at the next stage. */
function summaryOf(text: string): string {
  const lines = text.split('\n');
  const named = (kind: string) => lines.filter((line) => line.startsWith(`${kind} `)).map((line) => nameOf(line));
  const nodes = lines.filter((line) => / = [\w.]+\(/.test(line)).length;
  const [inputs, outputs] = [named('input'), named('output')];
  return `${nodes} nodes  ${some(inputs)} -> ${some(outputs)}`;
}

function nameOf(line: string): string {
  return line.replace(/^\w+ +/, '').replace(/(: | = ).*/, '');
}

/** The first of them: a training step has hundreds of states. */
function some(names: readonly string[]): string {
  const MOST = 6;
  return names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')}, … ${names.length - MOST} more`;
}
