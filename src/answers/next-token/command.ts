import { printable, UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import { printJson } from '../../commands/context.ts';
import { outOption } from '../../commands/options/command.ts';
import type { Command } from '../../commands/options/command.ts';

interface CompleteArgs {
  model: string;
  text: string;
  tokens: number;
  temperature: number;
  'top-k': number;
  'top-p': number;
  seed: number;
  words: number;
  stop: string[];
  tokenizer: string | undefined;
  out: string;
}

/** Ranges of numbers: whole ones, or any from the first to the last. */
const RANGES = {
  tokens: { from: 0, to: 4096, isWhole: true },
  temperature: { from: 0, to: 100, isWhole: false },
  'top-k': { from: 0, to: 1_000_000, isWhole: true },
  'top-p': { from: 0.001, to: 1, isWhole: false },
  seed: { from: 0, to: Number.MAX_SAFE_INTEGER, isWhole: true },
  words: { from: 1, to: 20, isWhole: true },
} as const;

export const completeCommand: Command<CompleteArgs> = {
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'Run, or RUN:id for another of its models, or an ONNX file that says which token comes next',
      })
      .option('text', { type: 'string', default: '', describe: 'Beginning of the text' })
      .option('tokens', { type: 'number', default: 20, describe: 'Largest number of tokens to write; 0: none' })
      .option('temperature', {
        type: 'number',
        default: 0,
        describe: 'Logits are divided by it before a token is drawn; 0 takes the likeliest',
      })
      .option('top-k', { type: 'number', default: 0, describe: 'Draw among so many tokens alone; 0: among all' })
      .option('top-p', { type: 'number', default: 1, describe: 'Draw among the fewest tokens with this share' })
      .option('seed', { type: 'number', default: 1, describe: 'The same seed draws the same tokens' })
      .option('words', { type: 'number', default: 3, describe: 'Likeliest words at the end of the text to show' })
      .option('stop', { type: 'string', array: true, default: [], describe: 'Text before which to end' })
      .option('tokenizer', { type: 'string', describe: 'Its tokenizer.json [default: the one beside it]' })
      .option('out', outOption),
  run: async ({ model: named, text, words: count, tokens: maxTokens, tokenizer, out, stop, ...given }, context) => {
    const { temperature, seed, 'top-k': topK, 'top-p': topP } = given;
    const numbers = { temperature, seed, 'top-k': topK, 'top-p': topP, tokens: maxTokens, words: count };
    for (const [option, value] of Object.entries(numbers)) refuse(option as keyof typeof RANGES, value);
    const path = await import('node:path');
    const { fileOfModel } = await import('./file.ts');
    const { openCompleter } = await import('./completer.ts');
    const { sessionOptions } = await import('../../runtime/onnxruntime/session-choice.ts');
    const { chooseDevice } = await import('../../runtime/onnxruntime/devices/devices.ts');
    const { readModelFile } = await import('../../files/onnx-file.ts');
    const file = await fileOfModel(named, out, (note) => context.note(`warning: ${note}\n`));
    const folder = path.dirname(tokenizer ?? file);
    const session = sessionOptions(chooseDevice('cpu'), { threads: 1 });
    const completer = await openCompleter(await readModelFile(file), file, folder, session);
    try {
      const words = completer.words(text, count);
      if (!context.json) context.out(printable(text));
      let [written, ids, finish]: [string, readonly number[], string | undefined] = ['', [], 'length'];
      if (maxTokens > 0)
        for (const part of completer.complete(text, { temperature, seed, topK, topP, maxTokens, stop })) {
          if (context.signal.aborted) break;
          if (!context.json) context.out(printable(part.text));
          [written, ids, finish] = [written + part.text, part.tokens, part.finish];
        }
      if (context.json) {
        printJson(context, { file, text, written, tokens: ids, finish, words, isCached: completer.isCached });
        return;
      }
      const listed = words.map(({ word, probability }) => `${printable(word)} (${percent(probability, 1)})`).join(', ');
      context.out(`\n\nnext words: ${listed === '' ? 'none' : listed}\n`);
      context.note(
        completer.isCached
          ? `${file}: with a cache of keys and values\n`
          : `${file}: all of its tokens are computed for each token, as files of \`decoder\` alone in fp32 or fp16 have keys and values to keep\n`,
      );
    } finally {
      completer.dispose();
    }
  },
};

function refuse(option: keyof typeof RANGES, value: number): void {
  const { from, to, isWhole } = RANGES[option];
  if (value >= from && value <= to && (!isWhole || Number.isInteger(value))) return;
  throw new UserError(
    `--${option}: expected ${isWhole ? 'a whole number' : 'a number'} from ${from} to ${to}, received ${value}`,
    'Change it.',
  );
}
