import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { RandomStream } from '../../src/base/random.ts';
import { temporaryFolder } from '../support/folder.ts';
import { makePipe } from '../support/pipe.ts';
import { dataFormats } from '../../src/data/readers/registry.ts';
import { dataReaders, typesRead } from './data.ts';
import { Guard } from './guard.ts';
import { kerasReaders, removeCompiled } from './keras.ts';
import { modelReaders } from './models.ts';
import { mutant } from './mutate.ts';
import type { Reader } from './reader.ts';
import { runReaders } from './run-folder.ts';

/** Damaged copies of the file of each reader; `npm run test:mutated -- --times 300` asks for more. */
const TIMES = Number(process.env['LIMBECK_MUTATIONS'] ?? 25);
/** What one damaged file may take: milliseconds of CPU time, bytes. */
const [MOST_MS, MOST_BYTES] = [3000, 200 * 2 ** 20];
/** Milliseconds of CPU time after which a reader has no end. */
const ENDLESS_MS = 30_000;
const LONGEST_MESSAGE = 600;

const folder = temporaryFolder();
/** Damaged files of all kinds, those of them that were refused, and the largest of what one took. */
const total = { files: 0, refused: 0, ms: 0 };

const guard = new Guard(ENDLESS_MS);

afterAll(async () => {
  await guard.close();
  await removeCompiled();
  const { files, refused, ms } = total;
  const seconds = Math.round(performance.now() / 1000);
  process.stdout.write(
    `${files} damaged files: ${refused} refused, ${files - refused} read; ${seconds} s, at most ${Math.round(ms)} ms of processor time for a file\n`,
  );
});

it('damages files of every type of data', () => {
  expect(dataFormats.names().filter((type) => !typesRead.has(type))).toEqual([]);
});

describe.each(Object.entries({ ...dataReaders, ...runReaders, ...modelReaders, ...kerasReaders }))(
  '%s',
  (name, reader) => {
    const { damaged, files, factor = 1, mended, read } = reader;
    const times = TIMES * factor;
    const valid = new Uint8Array(Buffer.from(files[damaged]!));

    it(
      `is read, and each of ${times} damaged ones is read or refused with a message`,
      async () => {
        for (const [file, content] of Object.entries(files)) await write(file, content);
        // A state that is saved makes older ones go.
        await read(folder());
        const random = new RandomStream('mutants', name);
        const faults: string[] = [];
        let refused = 0;
        for (let i = 0; i < times; i++) {
          const bytes = mutant(valid, random, reader);
          await rm(folder(), { recursive: true });
          for (const [file, content] of Object.entries(files)) await write(file, content);
          await write(damaged, mended?.(bytes) ?? bytes);
          guard.begin(`${name}, damaged file ${i}`);
          const { error, cost, ms } = await outcome(reader);
          guard.end();
          const fault = error === undefined ? undefined : faultOf(error, files);
          if (error !== undefined) refused++;
          total.ms = Math.max(total.ms, ms);
          for (const found of [fault, cost]) if (found !== undefined) faults.push(`${i}: ${found}`);
        }
        total.files += times;
        total.refused += refused;
        expect(faults).toEqual([]);
        expect(refused).toBeGreaterThan(0);
        // A busy machine takes its time.
      },
      240_000 + 2000 * times,
    );

    it('is refused where a pipe is in its place, which nobody writes to', async () => {
      for (const [file, content] of Object.entries(files)) await write(file, content);
      await rm(path.join(folder(), damaged));
      await makePipe(path.join(folder(), damaged));
      const { error } = await outcome(reader);
      expect(faultOf(error ?? 'read', files)).toBeUndefined();
    });
  },
);

async function write(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(path.dirname(path.join(folder(), file)), { recursive: true });
  await writeFile(path.join(folder(), file), content);
}

/** What reading throws, and whether it takes more than it may. */
async function outcome({ read }: Reader): Promise<{ error?: unknown; cost?: string; ms: number }> {
  const [cpu, memory] = [process.cpuUsage(), used()];
  let error: unknown;
  try {
    await read(folder());
  } catch (thrown) {
    error = thrown ?? new Error('nothing was thrown');
  }
  const { user, system } = process.cpuUsage(cpu);
  const [ms, bytes] = [(user + system) / 1000, used() - memory];
  const isTooMuch = ms > MOST_MS || bytes > MOST_BYTES;
  return { error, ms, ...(isTooMuch && { cost: `took ${Math.round(ms)} ms and ${bytes >> 20} MiB` }) };
}

/** Peak of what the process has touched, and what it has asked for without touching. */
function used(): number {
  return Math.max(process.resourceUsage().maxRSS * 1024, process.memoryUsage().arrayBuffers);
}

/** What is wrong with how a file is refused, if anything. */
function faultOf(error: unknown, files: Reader['files']): string | undefined {
  if (!(error instanceof UserError)) return `not refused but: ${error instanceof Error ? error.stack : String(error)}`;
  const { message, hint } = error;
  // Without the folder, whose length differs from machine to machine.
  const text = message.replaceAll(`${folder()}${path.sep}`, '');
  const names = Object.keys(files).map((file) => path.basename(file));
  const complaints = [
    !names.some((file) => text.includes(file)) && 'names no file',
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text + hint) && 'is not printable',
    /undefined|Cannot read|\[object|is not (?:a function|iterable)|is not defined/.test(text) &&
      'speaks of the program',
    text.length > LONGEST_MESSAGE && `is ${text.length} letters long`,
    hint.trim() === '' && 'has no hint',
  ].filter((complaint) => complaint !== false);
  return complaints.length === 0 ? undefined : `${complaints.join(', ')}: ${JSON.stringify(text.slice(0, 1000))}`;
}
