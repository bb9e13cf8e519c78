import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { shown } from '../../../base/errors.ts';
import { jsonIn } from '../../../serve/json.ts';
import { Refusal } from '../../../serve/refusal.ts';

/** Largest numbers of a request. */
const MOST = { prompts: 16, tokens: 4096, stops: 16, stopLetters: 200, words: 20 } as const;

/** Seconds after which a completion ends as it does at its largest number of tokens. */
export const MOST_SECONDS = 60;

const count = (most: number) => z.int().min(0).max(most);
const stopText = z.string().min(1).max(MOST.stopLetters);

/** Keys that OpenAI's clients may send and that have one value here: what they ask for is not computed. */
const FIXED = {
  n: 1,
  best_of: 1,
  echo: false,
  logprobs: null,
  suffix: null,
  presence_penalty: 0,
  frequency_penalty: 0,
} as const;

const schema = z.strictObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(MOST.prompts)]),
  max_tokens: count(MOST.tokens).nullish().describe('Default 16; 0 where `words` are asked for'),
  temperature: z.number().min(0).max(2).nullish().describe('0: the likeliest token. Default 1'),
  top_p: z.number().gt(0).max(1).nullish().describe('Default 1'),
  top_k: count(1_000_000).nullish().describe('Draws among so many tokens alone; 0, the default: among all'),
  seed: z.int().min(0).nullish().describe('The same seed draws the same tokens. Default: another one each time'),
  stop: z.union([stopText, z.array(stopText).max(MOST.stops)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  user: z.string().optional().describe('Not read'),
  words: count(MOST.words).nullish().describe('Likeliest words at the end of the prompt to name in each choice'),
  ...Object.fromEntries(
    Object.entries(FIXED).map(([key, value]) => [key, z.literal(value).nullish().describe('Other values are refused')]),
  ),
});

/** JSON schema of a request. */
export const requestSchema = (): object => z.toJSONSchema(schema, { io: 'input' });

/** A request as it is answered. */
export interface CompletionRequest {
  readonly model: string;
  readonly prompts: readonly string[];
  readonly isStream: boolean;
  /** True if a stream ends with the numbers of tokens. */
  readonly withUsage: boolean;
  readonly writing: Writing;
}

/** What is written behind each prompt. */
export interface Writing {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly words: number;
}

/** A refusal that names the key which is wrong. */
export class KeyRefusal extends Refusal {
  readonly key: string;

  constructor(key: string, message: string) {
    super(400, `${key}: ${message}`);
    this.key = key;
  }
}

/** Reads the body of a request, see https://platform.openai.com/docs/api-reference/completions. `Refusal` for what is wrong with it. */
export function completionRequest(body: Uint8Array): CompletionRequest {
  const given = jsonIn(body, (why) => `the body is no JSON: ${why}`);
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw refusalOf(parsed.error.issues[0]!, given);
  const { model, prompt, max_tokens: tokens, words, stop, seed, ...rest } = parsed.data;
  if (rest.stream_options && rest.stream !== true)
    throw new KeyRefusal('stream_options', 'expected only with stream: true');
  return {
    model,
    prompts: typeof prompt === 'string' ? [prompt] : prompt,
    isStream: rest.stream ?? false,
    withUsage: rest.stream_options?.include_usage ?? false,
    writing: {
      maxTokens: tokens ?? (words ? 0 : 16),
      temperature: rest.temperature ?? 1,
      topP: rest.top_p ?? 1,
      topK: rest.top_k ?? 0,
      seed: seed ?? randomInt(2 ** 31),
      stop: typeof stop === 'string' ? [stop] : (stop ?? []),
      words: words ?? 0,
    },
  };
}

function refusalOf(issue: z.core.$ZodIssue, given: unknown): Refusal {
  if (issue.code === 'unrecognized_keys')
    return new KeyRefusal(issue.keys[0]!, `unknown key; ${Object.keys(schema.shape).join(', ')} are read`);
  const [key] = issue.path;
  if (typeof key !== 'string') return new Refusal(400, 'the body is no JSON object');
  const value = (given as Readonly<Record<string, unknown>>)[key];
  if (value === undefined) return new KeyRefusal(key, 'missing');
  if (Object.hasOwn(FIXED, key))
    return new KeyRefusal(key, `expected ${shown(FIXED[key as keyof typeof FIXED])} or none, received ${shown(value)}`);
  if (key === 'prompt')
    return new KeyRefusal(
      key,
      `expected a text or up to ${MOST.prompts} texts, received ${shown(value)}; token ids are not read`,
    );
  return new KeyRefusal(key, `${issue.message}, received ${shown(value)}`);
}
