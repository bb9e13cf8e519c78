// Needs the feature next-token.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCompleter } from '../../../src/answers/next-token/completer.ts';
import type { Completer } from '../../../src/answers/next-token/completer.ts';
import { chooser, ranked } from '../../../src/answers/next-token/choose.ts';
import { fileOfModel } from '../../../src/answers/next-token/file.ts';
import { readBytes } from '../../../src/base/files.ts';
import { sha256 } from '../../../src/base/bytes.ts';
import { onnxContent } from '../../../src/formats/onnx/protobuf.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { useCpu } from '../../support/cpu.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decoderFile } from './cache/decoder-file.ts';

const folder = temporaryFolder();
beforeAll(useCpu);

const TEACHER = path.resolve('checkpoints/next-words-teacher/teacher.onnx');
const PHRASES = path.resolve('datasets/wordnet-phrases');
const GREEDY = { temperature: 0, topK: 0, topP: 1, seed: 1, maxTokens: 12 };

async function withTeacher<T>(use: (completer: Completer) => T): Promise<T> {
  const completer = await openCompleter(await readBytes(TEACHER), TEACHER, PHRASES, {});
  try {
    return use(completer);
  } finally {
    completer.dispose();
  }
}

const textOf = (completer: Completer, text: string, options: object = {}): string =>
  [...completer.complete(text, { ...GREEDY, ...options })].map((part) => part.text).join('');

it('the same seed writes the same text, and parts are the whole', async () => {
  await withTeacher((completer) => {
    expect(completer.isCached).toBe(true);
    const draw = { temperature: 1, topK: 50, topP: 0.9 };
    const drawn = [1, 1, 2, 3].map((seed) => textOf(completer, 'a person who', { ...draw, seed }));
    expect(drawn[0]).toBe(drawn[1]);
    expect(new Set(drawn).size).toBeGreaterThan(1);
    expect(textOf(completer, 'a person who')).toBe(textOf(completer, 'a person who', { temperature: 1, topK: 1 }));
    const parts = [...completer.complete('a person who', GREEDY)];
    expect(parts.slice(0, -1).every(({ finish }) => finish === undefined)).toBe(true);
    expect(parts.at(-1)!.finish).toBe(parts.at(-1)!.tokens.length === GREEDY.maxTokens ? 'length' : 'stop');
  });
});

it('ends before a text of stop, of which no part is written', async () => {
  await withTeacher((completer) => {
    const whole = textOf(completer, 'the act of');
    const stop = whole.slice(4, 8);
    const parts = [...completer.complete('the act of', { ...GREEDY, stop: [stop, 'never'] })];
    expect(parts.map(({ text }) => text).join('')).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(parts.at(-1)!.finish).toBe('stop');
  });
});

it('proposed words go on with what was typed, though its tokens are other ones', async () => {
  await withTeacher((completer) => {
    for (const [text, begins] of [
      ['the act of mak', 'mak'],
      ['a person who', 'who'],
      ['relating to ', ''],
      ['', ''],
    ] as const) {
      const words = completer.words(text, 3);
      expect(words).toHaveLength(3);
      expect(words.every(({ word }) => word.startsWith(begins) && /^[\p{L}\p{N}'’-]+$/u.test(word))).toBe(true);
      expect(words.map(({ probability }) => probability)).toEqual(
        words.map(({ probability }) => probability).sort((a, b) => b - a),
      );
    }
    expect(completer.words('the act of mak', 3).map(({ word }) => word)).toContain('making');
    expect(completer.words('xqzjv', 3)).toEqual(completer.words('xqzjv', 3));
  });
});

function bytesFile(change: Record<string, string> = {}): Model {
  const model = decoderFile({ size: 8, depth: 1, heads: 2 });
  return { ...model, metadata: new Map([...model.metadata, ['task', 'next-token'], ...Object.entries(change)]) };
}

it('files of other tasks, and tokenizers with other decoders, are refused', async () => {
  const open = (model: Model) => openCompleter(onnxContent(model), 'm.onnx', folder(), {});
  await expect(open(bytesFile({ task: 'classification' }))).rejects.toThrow(
    'm.onnx: does not say which token comes next',
  );
  const json = Buffer.from(
    JSON.stringify({ model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' }, decoder: { type: 'CTC' } }),
  );
  writeFileSync(path.join(folder(), 'tokenizer.json'), json);
  const text = JSON.stringify({
    tokenizer: 'tokenizer.json',
    sha256: sha256(json),
    texts: 1,
    length: 12,
    truncate: 'start',
    vocabulary: 60,
    padding: 3,
  });
  await expect(open(bytesFile({ text }))).rejects.toThrow(
    'm.onnx: the decoder CTC of its tokenizer.json is not supported',
  );
  (await open(bytesFile())).dispose();
  await expect(fileOfModel(folder(), folder(), () => undefined)).rejects.toThrow('expected a run or an .onnx file');
});

it('draws among the likeliest tokens alone', () => {
  const logits = Float32Array.of(1, 3, 2, 3, -5);
  expect(ranked(logits, 3).map(({ id }) => id)).toEqual([1, 3, 2]);
  const drawn = (options: object): Set<number> => {
    const choose = chooser({ temperature: 1, topK: 0, topP: 1, seed: 4, ...options });
    return new Set(Array.from({ length: 400 }, () => choose(logits)));
  };
  expect(drawn({ temperature: 0 })).toEqual(new Set([1]));
  expect(drawn({ topK: 2 })).toEqual(new Set([1, 3]));
  expect(drawn({ topP: 0.5 })).toEqual(new Set([1, 3]));
  expect(drawn({ temperature: 20 }).size).toBe(5);
  const shares = ranked(logits, 5);
  const choose = chooser({ temperature: 1, topK: 0, topP: 1, seed: 9 });
  const counts = new Map<number, number>();
  for (let i = 0; i < 4000; i++) {
    const id = choose(logits);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id, probability } of shares) expect((counts.get(id) ?? 0) / 4000).toBeCloseTo(probability, 1);
});
