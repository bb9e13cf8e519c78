import type { RunEvent } from '../../src/base/events.ts';
import { checkMemory } from '../../src/train/memory.ts';

const need = { stage: 'distilled', batchSize: 128, rest: 0, bytes: 8e9 };

function told(free: number, rest = 0): string[] {
  const messages: string[] = [];
  checkMemory({ ...need, rest }, free, (event: RunEvent) => {
    if (event.type === 'warning') messages.push(event.message);
  });
  return messages;
}

it('says nothing of a step that takes half of the free memory', () => {
  expect(told(16e9)).toEqual([]);
});

it('warns of a step that takes more, with a batch that does not', () => {
  expect(told(12e9)).toEqual([
    'distilled: steps of 128 samples take about 8.0 GB of memory, more than half of the 12.0 GB that are free; batchSize: 64 takes about 4.0 GB.',
  ]);
});

it('counts the program of a last, smaller batch beside the other', () => {
  expect(told(16e9, 32)).toHaveLength(1);
});

it('refuses a step for which there is no room', () => {
  const refused = (): unknown => {
    try {
      return told(3e9);
    } catch (error) {
      return error;
    }
  };
  expect(refused()).toMatchObject({
    name: 'UserError',
    message: 'distilled: steps of 128 samples take about 8.0 GB of memory, and 3.0 GB are free',
    hint: 'Lower the batch size: batchSize: 16 takes about 1.0 GB.',
  });
});
