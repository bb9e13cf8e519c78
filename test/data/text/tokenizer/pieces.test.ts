import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { tokenModelOf } from '../../../../src/data/text/tokenizer/models.ts';
import type { ModelPart } from '../../../../src/data/text/tokenizer/models.ts';
import { normalizerOf } from '../../../../src/data/text/tokenizer/normalizers.ts';
import type { Component } from '../../../../src/data/text/tokenizer/normalizers.ts';
import { preTokenizerOf } from '../../../../src/data/text/tokenizer/pre-tokenizers.ts';

type Kind = 'normalizer' | 'preTokenizer' | 'model';

interface Row {
  readonly kind: Kind;
  readonly part: object;
  readonly expected: readonly unknown[];
}

/** What the Rust package makes of a few texts; see fixtures/README.md. */
const file = path.join(import.meta.dirname, '../../fixtures/pieces.jsonl');
const [first, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
const texts = JSON.parse(first!) as Record<Kind, readonly string[]>;

/** By the beginning of a part as a name: what lies behind it are words. */
const rows = lines.map((line) => {
  const { kind, part, expected } = JSON.parse(line) as Row;
  return [kind, JSON.stringify(part).slice(0, 150), part, expected] as const;
});

const made: Readonly<Record<Kind, (part: object) => (text: string) => unknown>> = {
  normalizer: (part) => normalizerOf(part as Component),
  preTokenizer: (part) => {
    const splits = preTokenizerOf(part as Component);
    return (text) => (text === '' ? [] : splits(text, true));
  },
  model: (part) => tokenModelOf(part as ModelPart),
};

it.each(rows)('the %s of a tokenizer.json does what that of the Rust package does: %s', (kind, _, part, expected) => {
  expect(texts[kind].map((text) => made[kind](part)(text))).toEqual(expected);
});
