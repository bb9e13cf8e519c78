import '../../../features.ts';
import { sha256 } from '../../../base/bytes.ts';
import { monotonicMs } from '../../../base/clock.ts';
import { UserError } from '../../../base/errors.ts';
import { watchOver } from '../../../base/process/watchdog.ts';
import { readOnnx } from '../../../files/onnx-file.ts';
import { inOnePiece } from '../../../formats/onnx/large.ts';
import { sessionOptions } from '../../../runtime/onnxruntime/session-choice.ts';
import { Refusal, withoutFolder } from '../../../serve/refusal.ts';
import { writeParts } from '../../../serve/worker/blocking.ts';
import { framed, FrameReader } from '../../../serve/worker/frames.ts';
import { openCompleter } from '../completer.ts';
import type { Completer } from '../completer.ts';
import path from 'node:path';
import type { EndMessage, FromWriter, WriteMessage } from './messages.ts';
import { MOST_SECONDS } from './request.ts';

/** The process that writes behind prompts: of several jobs, each writes a token in turn. */
const OUT = 3;

/** Models that are open at a time. */
const MOST_OPEN = 4;

const tell = (message: FromWriter): void => writeParts(OUT, framed(message, []));

watchOver({ mostBytes: Number(process.argv[2] ?? Infinity), withParent: true });

/** Open models by their key, the one that was asked last at the end. */
const open = new Map<string, Promise<Completer>>();

async function openModel({ key, file, sha256: loaded }: WriteMessage): Promise<Completer> {
  const bytes = inOnePiece(await readOnnx(file), file, 'the server');
  if (sha256(bytes) !== loaded)
    throw new Refusal(
      409,
      `the file of model ${key.split(' ')[0]} is another one than was loaded: load the model again`,
    );
  const options = sessionOptions('cpu', { threads: 1 });
  return openCompleter(bytes, file, path.dirname(path.resolve(file)), options);
}

function completerOf(message: WriteMessage): Promise<Completer> {
  const { key } = message;
  const found = open.get(key) ?? openModel(message);
  open.delete(key);
  open.set(key, found);
  // What is wrong with a file may be right the next time.
  found.catch(() => open.get(key) === found && open.delete(key));
  return found;
}

/** Closes models that were asked longest ago, of which no job writes. */
function closeOthers(): void {
  const busy = new Set([...writing.values()].map(({ key }) => key));
  for (const [key, model] of open) {
    if (open.size <= MOST_OPEN) return;
    if (busy.has(key)) continue;
    open.delete(key);
    void model.then((one) => one.dispose());
  }
}

interface Job {
  readonly key: string;
  /** Writes the next token. */
  readonly steps: Generator<void, void, undefined>;
}

const writing = new Map<number, Job>();
/** Jobs whose model is being opened. */
const opening = new Set<number>();

function* steps({ id, prompts, writing: given }: WriteMessage, completer: Completer): Generator<void, void, undefined> {
  const { words, ...choice } = given;
  const until = monotonicMs() + 1000 * MOST_SECONDS;
  let [promptTokens, completionTokens] = [0, 0];
  for (const [index, prompt] of prompts.entries()) {
    // The first one is no token of the prompt: it ends the text before.
    promptTokens += completer.tokensOf(prompt).length - 1;
    if (words > 0) tell({ type: 'part', id, part: { index, text: '', words: completer.words(prompt, words) } });
    yield;
    let tokens = 0;
    for (const { text, tokens: written, finish } of completer.complete(prompt, choice)) {
      tokens = written.length;
      const isLate = finish === undefined && monotonicMs() > until;
      if (text !== '' || finish !== undefined || isLate)
        tell({ type: 'part', id, part: { index, text, finish: isLate ? 'length' : finish } });
      if (isLate) break;
      yield;
    }
    completionTokens += tokens;
  }
  tell({ type: 'usage', id, usage: { promptTokens, completionTokens } });
}

function fail(id: number, error: unknown, file: string): void {
  writing.delete(id);
  if (error instanceof Refusal) tell({ type: 'refusal', id, status: error.status, message: error.message });
  else if (error instanceof UserError)
    tell({ type: 'refusal', id, status: 400, message: withoutFolder(error.message, file) });
  else tell({ type: 'bug', id, stack: String((error as Error).stack ?? error) });
}

async function begin(message: WriteMessage): Promise<void> {
  const { id, key, file } = message;
  opening.add(id);
  try {
    const completer = await completerOf(message);
    // Deleted when its client is gone.
    if (opening.has(id)) writing.set(id, { key, steps: withFile(steps(message, completer), id, file) });
    closeOthers();
    goOn();
  } catch (error) {
    fail(id, error, file);
  } finally {
    opening.delete(id);
  }
}

function* withFile(own: Job['steps'], id: number, file: string): Job['steps'] {
  try {
    yield* own;
  } catch (error) {
    fail(id, error, file);
  }
}

let isGoing = false;

/** A token of each job, then the messages that have come meanwhile. */
function goOn(): void {
  if (isGoing || writing.size === 0) return;
  isGoing = true;
  setImmediate(() => {
    for (const [id, job] of writing) if (job.steps.next().done === true) writing.delete(id);
    isGoing = false;
    goOn();
  });
}

const reader = new FrameReader<WriteMessage | EndMessage>((message) => {
  if (message.type === 'write') void begin(message);
  else {
    opening.delete(message.id);
    writing.delete(message.id);
  }
});
process.stdin.on('data', (chunk: Buffer) => reader.push(chunk));
process.stdin.on('end', () => process.exit(0));
