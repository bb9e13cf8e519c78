import { UserError } from '../../src/base/errors.ts';
import { sentFailure, revived } from '../../src/run/at-once-protocol.ts';
import type { SentFailure } from '../../src/run/at-once-protocol.ts';

/** An error as it arrives in another process, which messages reach as JSON. */
const sent = (error: unknown): Error => revived(JSON.parse(JSON.stringify(sentFailure(error))) as SentFailure);

it('a mistake of the user arrives in the first process with its remedy, kind and places', () => {
  const problem = { file: 'r.yaml', line: 3, column: 1, key: 'seed', message: 'no number', hint: 'Write 1.' };
  const error = new UserError('r.yaml:3:1: seed: no number', 'Write 1.', { kind: 'recipe', problems: [problem] });
  const arrived = sent(error);
  expect(arrived).toBeInstanceOf(UserError);
  const { message, hint, kind, problems } = error;
  expect(arrived).toMatchObject({ message, hint, kind, problems });
});

it('any other error arrives with its name and the stack of where it was thrown, and is no mistake of the user', () => {
  const error = new RangeError('out of range');
  const arrived = sent(error);
  expect(arrived).not.toBeInstanceOf(UserError);
  const { name, message, stack } = error;
  expect([arrived.name, arrived.message, arrived.stack]).toEqual([name, message, stack]);
  expect(sent('a text that was thrown').message).toBe('a text that was thrown');
});
