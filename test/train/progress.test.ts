import type { ProgressEvent } from '../../src/base/events.ts';
import { progressOf } from '../../src/train/progress.ts';

describe('the progress of a stage', () => {
  const told: ProgressEvent[] = [];
  let now = 0;
  const abort = new AbortController();
  const onEvent = (event: { readonly type: string }): void => void told.push(event as ProgressEvent);

  it('is told ten times a second at most, with the time left at the pace of what is being done', () => {
    const tell = progressOf({ onEvent, signal: abort.signal }, 'quantize-1', { clock: () => now });
    for (let batch = 1; batch <= 40; batch++) {
      now += 50;
      tell('calibrating, batch', batch, 40);
    }
    expect(told).toHaveLength(20);
    expect(told[9]).toEqual({
      ...{ type: 'progress', stage: 'quantize-1', what: 'calibrating, batch', done: 19, total: 40 },
      secondsLeft: expect.closeTo(21 * 0.05, 6) as number,
    });
    told.length = 0;
    // Slower things, whose first was begun when the last of the others was done.
    now += 3000;
    tell('layer', 1, 4);
    expect(told).toMatchObject([{ what: 'layer', done: 1, total: 4, secondsLeft: 9 }]);
    told.length = 0;
    now += 3000;
    tell('layer', 2, 4);
    expect(told).toMatchObject([{ done: 2, secondsLeft: 6 }]);
  });

  it('ends the stage where the run is to stop', () => {
    const tell = progressOf({ onEvent, signal: abort.signal }, 'quantize-1', { clock: () => now });
    abort.abort();
    expect(() => tell('layer', 3, 4)).toThrow('stopped quantize-1, layer 3 of 4');
  });
});
