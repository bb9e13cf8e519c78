import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { asUserError, firstMissing, removeEmpty } from '../base/files.ts';
import { watchStages } from '../graph/stages.ts';

/** A dump in progress. */
export interface Dump {
  readonly count: () => number;
  /** Ends the dump. A folder that was made for it is removed if nothing was written. */
  readonly end: () => Promise<void>;
}

const INDEX = 'index.txt';

/**
 * Writes every graph that this process makes from now on into `folder`, a text for each stage in numbered files such as `0001-traced.txt`, and a line
 * for each in `index.txt`. Repeated texts are skipped. Files of an earlier dump are deleted.
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
    // Synchronous, because graphs are made in synchronous code.
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

/** Inputs and outputs of a text's graph, by which it is recognized in the next stage. */
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

/** The first names only: a training step has hundreds of state variables. */
function some(names: readonly string[]): string {
  const MOST = 6;
  return names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')}, … ${names.length - MOST} more`;
}
