// Needs the feature next-token.
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openCompleter } from '../../../src/answers/next-token/completer.ts';
import type { Completer } from '../../../src/answers/next-token/completer.ts';
import { classifier } from '../../serve/models.ts';
import { ask, serving } from '../../serve/server.ts';
import type { Served } from '../../serve/server.ts';
import { useCpu } from '../../support/cpu.ts';

const TEACHER = path.resolve('checkpoints/next-words-teacher/teacher.onnx');
const PHRASES = path.resolve('datasets/wordnet-phrases');
const GREEDY = { model: 'words', prompt: 'a person who', temperature: 0 };

interface Choice {
  readonly index: number;
  readonly text: string;
  readonly finish_reason: string | null;
  readonly words?: unknown;
}

interface Completion {
  readonly choices: readonly Choice[];
  readonly usage?: object | null;
}

let server: Served;
let completer: Completer;
beforeAll(async () => {
  await useCpu();
  const bytes = readFileSync(TEACHER);
  completer = await openCompleter(bytes, TEACHER, PHRASES, {});
  const tokenizer = readFileSync(path.join(PHRASES, 'tokenizer.json'));
  server = await serving({ 'words.onnx': bytes, 'tokenizer.json': tokenizer, 'animals.onnx': classifier() });
}, 60_000);
afterAll(async () => {
  completer.dispose();
  await server.end();
});

const complete = (body: object, headers = {}) => ask(server, '/v1/completions', { body, headers });
const choicesOf = async (body: object): Promise<readonly Choice[]> =>
  ((await complete(body)).json as unknown as Completion).choices;

/** Text, tokens and end as our own program has them. */
function written(prompt: string, options: object = {}) {
  const all = { temperature: 0, topK: 0, topP: 1, seed: 1, maxTokens: 16, ...options };
  const parts = [...completer.complete(prompt, all)];
  const { tokens, finish } = parts.at(-1)!;
  return { text: parts.map(({ text }) => text).join(''), tokens: tokens.length, finish };
}

it("answers in the form of OpenAI's clients with the text of our own program", async () => {
  const { status, json } = await complete({ ...GREEDY, max_tokens: 12 });
  const own = written('a person who', { maxTokens: 12 });
  expect(status).toBe(200);
  expect(json).toEqual({
    id: expect.stringMatching(/^cmpl-/) as string,
    object: 'text_completion',
    created: expect.any(Number) as number,
    model: 'words',
    system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{12}$/) as string,
    choices: [{ index: 0, text: own.text, logprobs: null, finish_reason: own.finish }],
    usage: {
      prompt_tokens: completer.tokensOf('a person who').length - 1,
      completion_tokens: own.tokens,
      total_tokens: completer.tokensOf('a person who').length - 1 + own.tokens,
    },
  });
});

it('draws by seed, temperature, top_p and top_k, ends before texts of stop, and answers several prompts', async () => {
  const drawn = { ...GREEDY, temperature: 1.2, top_p: 0.9, top_k: 40, seed: 7 };
  const own = written('a person who', { temperature: 1.2, topP: 0.9, topK: 40, seed: 7 });
  expect((await choicesOf(drawn))[0]!.text).toBe(own.text);
  const texts = await Promise.all([1, 2, 3, 4].map(async (seed) => (await choicesOf({ ...drawn, seed }))[0]!.text));
  expect(new Set(texts).size).toBeGreaterThan(1);
  const stop = own.text.slice(5, 8);
  expect(await choicesOf({ ...drawn, stop })).toMatchObject([
    { text: own.text.slice(0, own.text.indexOf(stop)), finish_reason: 'stop' },
  ]);
  const prompts = ['the act of', 'relating to', ''];
  expect((await choicesOf({ ...GREEDY, prompt: prompts })).map(({ text }) => text)).toEqual(
    prompts.map((prompt) => written(prompt).text),
  );
  expect(await choicesOf({ ...GREEDY, max_tokens: 0 })).toMatchObject([{ text: '', finish_reason: 'length' }]);
});

it('names the likeliest words where a client asks for them', async () => {
  const [choice] = await choicesOf({ model: 'words', prompt: 'the act of mak', words: 3 });
  expect(choice).toEqual({
    index: 0,
    text: '',
    logprobs: null,
    finish_reason: 'length',
    words: completer.words('the act of mak', 3),
  });
});

it('streams parts as server-sent events that end with [DONE]', async () => {
  const body = { ...GREEDY, prompt: ['the act of', 'a person who'], stream: true };
  const { headers, body: sent } = await complete({ ...body, stream_options: { include_usage: true } });
  expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
  const events = sent.toString('utf8').split('\n\n');
  expect(events.splice(-2)).toEqual(['data: [DONE]', '']);
  const parts = events.map((event) => JSON.parse(event.replace(/^data: /, '')) as Completion);
  expect(parts.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) as number } });
  for (const [index, prompt] of body.prompt.entries()) {
    const own = parts.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
    expect(own.length).toBeGreaterThan(3);
    expect(own.map(({ text }) => text).join('')).toBe(written(prompt).text);
    expect(own.map(({ finish_reason: finish }) => finish).filter(Boolean)).toEqual([written(prompt).finish]);
  }
  expect((await complete({ ...GREEDY, stream: true })).body.toString('utf8')).not.toContain('usage');
});

it('writes several at a time, each as if it were alone', async () => {
  const prompts = Array.from({ length: 12 }, (_, i) => `${'the act of '.repeat(i % 4)}${i}`);
  const all = await Promise.all(prompts.map((prompt) => choicesOf({ ...GREEDY, prompt, max_tokens: 40 })));
  expect(all.map(([choice]) => choice!.text)).toEqual(prompts.map((prompt) => written(prompt, { maxTokens: 40 }).text));
});

it.each([
  [400, 'no JSON', 'the body is no JSON', null],
  [400, [], 'the body is no JSON object', null],
  [400, { prompt: 'a' }, 'model: missing', 'model'],
  [404, { ...GREEDY, model: 'gpt-4' }, 'there is no model gpt-4', null],
  [400, { ...GREEDY, model: 'animals' }, 'animals does not say which token comes next: ask it at /v1/animals', 'model'],
  [400, { ...GREEDY, prompt: [1, 2] }, 'expected a text or up to 16 texts', 'prompt'],
  [400, { ...GREEDY, n: 2 }, 'n: expected 1 or none, received 2', 'n'],
  [400, { ...GREEDY, temperature: 3 }, 'temperature: ', 'temperature'],
  [400, { ...GREEDY, top_p: 0 }, 'top_p: ', 'top_p'],
  [400, { ...GREEDY, max_tokens: 5000 }, 'max_tokens: ', 'max_tokens'],
  [400, { ...GREEDY, stop: '' }, 'stop: ', 'stop'],
  [400, { ...GREEDY, max_token: 5 }, 'max_token: unknown key; model, prompt, max_tokens', 'max_token'],
  [400, { ...GREEDY, stream_options: {} }, 'stream_options: expected only with stream: true', 'stream_options'],
  [413, { ...GREEDY, prompt: 'a'.repeat(20_000) }, 'sample 0 has 20000 letters', null],
])('refuses with status %d in the form of these clients (%#)', async (status, body, message, param) => {
  const answer = await ask(server, '/v1/completions', { body, method: 'POST' });
  expect(answer.status).toBe(status);
  expect(answer.json).toEqual({
    error: {
      message: expect.stringContaining(message) as string,
      type: 'invalid_request_error',
      param,
      code: status === 404 ? 'model_not_found' : null,
    },
  });
});

it('other methods, keys behind the ? and clients without a token are refused in the same form', async () => {
  expect((await ask(server, '/v1/completions')).json).toMatchObject({
    error: { message: 'GET is not allowed at this address, expected POST' },
  });
  expect((await ask(server, '/v1/completions?top=3', { body: GREEDY })).json).toMatchObject({
    error: { message: expect.stringContaining('unknown key "top"') as string },
  });
  const tokenFile = path.join(server.folder, 'tokens');
  writeFileSync(tokenFile, 'c'.repeat(48));
  const closed = await serving({ 'animals.onnx': classifier() }, { tokenFile });
  const refused = await ask(closed, '/v1/completions', { body: GREEDY });
  expect([refused.status, refused.json]).toMatchObject([401, { error: { code: 'invalid_api_key' } }]);
  await closed.end();
});

it('a client that leaves ends what is written for it, and others are answered', async () => {
  const body = JSON.stringify({ ...GREEDY, max_tokens: 4096, stop: 'ÿ', stream: true });
  await new Promise<void>((resolve) => {
    const sent = request({ port: server.port, path: '/v1/completions', method: 'POST' }, (response) => {
      response.once('data', () => {
        sent.destroy();
        resolve();
      });
    });
    sent.on('error', () => undefined);
    sent.end(body);
  });
  expect((await choicesOf(GREEDY))[0]!.text).toBe(written('a person who').text);
});

it('a file that was replaced since it was loaded is not asked', async () => {
  const other = await serving({
    'words.onnx': readFileSync(TEACHER),
    'tokenizer.json': readFileSync(path.join(PHRASES, 'tokenizer.json')),
  });
  writeFileSync(path.join(other.folder, 'words.onnx'), classifier());
  const { status, json } = await ask(other, '/v1/completions', { body: GREEDY });
  expect(status).toBe(409);
  expect(json).toMatchObject({ error: { message: expect.stringContaining('load the model again') as string } });
  await other.end();
});

it('the OpenAPI document has the address', async () => {
  const { json } = await ask(server, '/openapi.json');
  expect((await new Validator().validate(json)).valid).toBe(true);
  const { paths } = json as unknown as { paths: Readonly<Record<string, { readonly post: object }>> };
  expect(JSON.stringify(paths['/v1/completions'])).toContain('max_tokens');
});
