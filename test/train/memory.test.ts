import type { RunEvent } from '../../src/base/events.ts';
import { checkMemory } from '../../src/train/memory.ts';

const fact = 'distilled: steps of 128 samples take about 8.0 GB of memory';
const parts = { gradient: unused, update: unused };

function unused(): never {
  throw new Error('nothing is compiled');
}

function told(free: number, more: Partial<Parameters<typeof checkMemory>[0]> = {}): string[] {
  const messages: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'warning') messages.push(event.message);
  };
  checkMemory({ fact, bytes: 8e9, samples: 128, isBegun: false, parts, free, onEvent, ...more });
  return messages;
}

it('says nothing of a step that takes half of the free memory', () => {
  expect(told(16e9)).toEqual([]);
});

it('warns of a step that takes more, with a batch that does not', () => {
  expect(told(12e9)).toEqual([
    'distilled: steps of 128 samples take about 8.0 GB of memory, more than half of the 12.0 GB that are free; microBatch: 64 takes about 4.0 GB.',
  ]);
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
    hint: 'Compute fewer samples at once: microBatch: 16 takes about 1.0 GB.',
  });
});

it('names the batch itself where a loss cannot be computed in parts', () => {
  expect(told(12e9, { parts: undefined })[0]).toContain('batchSize: 64 takes about 4.0 GB');
});

it('refuses to go on otherwise than a training began', () => {
  expect(() => told(3e9, { isBegun: true })).toThrow(
    expect.objectContaining({
      hint: 'A resumed training cannot change its batches: free memory, and run the same command again.',
    }) as Error,
  );
});
