// Needs the feature next-token.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { openCompleter } from '../../src/answers/next-token/completer.ts';
import { temporaryFolder } from '../support/folder.ts';
import { useCpu } from '../support/cpu.ts';
import { serving } from '../serve/server.ts';
import { pythonPath } from './python.ts';

const TEACHER = path.resolve('checkpoints/next-words-teacher/teacher.onnx');
const PHRASES = path.resolve('datasets/wordnet-phrases');
const folder = temporaryFolder();
beforeAll(useCpu);

interface Found {
  readonly texts: readonly string[];
  readonly finish: readonly string[];
  readonly usage: { readonly completion_tokens: number };
  readonly streamed: string;
  readonly parts: number;
  readonly streamedUsage: number;
  readonly drawn: readonly string[];
  readonly words: unknown;
  readonly errors: unknown;
}

it("OpenAI's client reads completions, streams, words and errors of a server", async () => {
  const bytes = readFileSync(TEACHER);
  const completer = await openCompleter(bytes, TEACHER, PHRASES, {});
  const own = ['a person who', 'the act of'].map((prompt) => {
    const parts = [...completer.complete(prompt, { temperature: 0, topK: 0, topP: 1, seed: 1, maxTokens: 20 })];
    const { tokens, finish } = parts.at(-1)!;
    return { text: parts.map(({ text }) => text).join(''), tokens: tokens.length, finish };
  });
  const words = completer.words('the act of mak', 3);
  completer.dispose();
  const [token, tokenFile] = ['t'.repeat(48), path.join(folder(), 'tokens')];
  writeFileSync(tokenFile, token);
  const files = { 'words.onnx': bytes, 'tokenizer.json': readFileSync(path.join(PHRASES, 'tokenizer.json')) };
  const server = await serving(files, { tokenFile });
  try {
    const script = path.resolve('test/conformance/serve_openai.py');
    const { stdout } = await promisify(execFile)(pythonPath(), [script, server.url, token]);
    const { parts, drawn, usage, ...found } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Found;
    expect(found).toEqual({
      texts: own.map(({ text }) => text),
      finish: own.map(({ finish }) => finish),
      streamed: own[0]!.text,
      streamedUsage: own[0]!.tokens,
      words,
      errors: [
        ['NotFoundError', 404, null, 'model_not_found'],
        ['BadRequestError', 400, 'n', null],
        ['BadRequestError', 400, 'temperature', null],
        ['AuthenticationError', 401, null, 'invalid_api_key'],
      ],
    });
    expect(usage.completion_tokens).toBe(own[0]!.tokens + own[1]!.tokens);
    expect(parts).toBeGreaterThan(3);
    expect(drawn[0]).toBe(drawn[1]);
    expect(drawn.every((text) => !/[ae]/.test(text))).toBe(true);
  } finally {
    await server.end();
  }
});
